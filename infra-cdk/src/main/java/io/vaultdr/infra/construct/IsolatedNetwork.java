package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.iam.Allowance;

import software.amazon.awscdk.Fn;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.ec2.FlowLogDestination;
import software.amazon.awscdk.services.ec2.FlowLogOptions;
import software.amazon.awscdk.services.ec2.FlowLogTrafficType;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointAwsService;
import software.amazon.awscdk.services.ec2.GatewayVpcEndpointOptions;
import software.amazon.awscdk.services.ec2.InterfaceVpcEndpointAwsService;
import software.amazon.awscdk.services.ec2.InterfaceVpcEndpointOptions;
import software.amazon.awscdk.services.ec2.IpAddresses;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetConfiguration;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.iam.AnyPrincipal;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.logs.RetentionDays;
import software.constructs.Construct;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A network without a way out: a copy that is restored in it can't revoke the leases of the
 * original. Its endpoints let only this account's callers to exactly the things named. A function's
 * logs and metrics leave by Lambda itself and need no endpoint. It stands in one zone, since a
 * proof may wait and each endpoint is paid by the zone; what was refused is logged.
 *
 * @see <a href="https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html">Functions in a
 *     VPC</a>
 */
public final class IsolatedNetwork extends Construct {
    /** Its addresses; nothing outside ever sees one. */
    static final String RANGE = "10.0.0.0/24";

    private final Names names;
    private final Vpc vpc;
    private final SecurityGroup inside;

    /**
     * Makes the network.
     *
     * @param purpose what its name ends with
     * @param objects allowed through the endpoint of S3, which is free
     * @param keys allowed through the endpoint of KMS; empty: there is none
     * @param secrets allowed through the endpoint of Secrets Manager
     */
    public IsolatedNetwork(
            Construct scope,
            String id,
            Names names,
            String region,
            String purpose,
            List<Allowance> objects,
            List<Allowance> keys,
            List<Allowance> secrets) {
        super(scope, id);
        this.names = names;
        String refused = names.of(purpose + "-refused");
        vpc =
                Vpc.Builder.create(this, "Vpc")
                        .vpcName(names.of(purpose))
                        .ipAddresses(IpAddresses.cidr(RANGE))
                        // The first zone of the account, known without looking it up.
                        .availabilityZones(List.of(Fn.select(0, Fn.getAzs())))
                        .subnetConfiguration(
                                List.of(
                                        SubnetConfiguration.builder()
                                                .name("Isolated")
                                                .subnetType(SubnetType.PRIVATE_ISOLATED)
                                                .cidrMask(25)
                                                .build()))
                        .natGateways(0)
                        .restrictDefaultSecurityGroup(false)
                        .build();
        inside =
                SecurityGroup.Builder.create(this, "Inside")
                        .description("Endpoints, for whoever stands in this network")
                        .vpc(vpc)
                        .allowAllOutbound(false)
                        .build();
        inside.addIngressRule(Peer.ipv4(RANGE), Port.tcp(443), "from inside");
        LogGroup log =
                LogGroup.Builder.create(this, "Log")
                        .logGroupName("/vault-dr/" + refused)
                        .retention(RetentionDays.THREE_MONTHS)
                        .removalPolicy(RemovalPolicy.DESTROY)
                        .build();
        vpc.addFlowLog(
                "Refused",
                FlowLogOptions.builder()
                        .trafficType(FlowLogTrafficType.REJECT)
                        .destination(
                                FlowLogDestination.toCloudWatchLogs(
                                        log,
                                        Roles.role(
                                                        this,
                                                        "LogRole",
                                                        refused + "-" + region,
                                                        "vpc-flow-logs.amazonaws.com",
                                                        List.of(
                                                                Allowance.onPattern(
                                                                        names.arn(
                                                                                "logs",
                                                                                region,
                                                                                "log-group:/vault-dr/"
                                                                                        + refused
                                                                                        + ":*"),
                                                                        "Each interface writes a"
                                                                                + " stream of its"
                                                                                + " own",
                                                                        "logs:CreateLogStream",
                                                                        "logs:PutLogEvents",
                                                                        "logs:DescribeLogStreams")))
                                                .withoutPolicyUpdates()))
                        .build());
        var s3 =
                vpc.addGatewayEndpoint(
                        "S3",
                        GatewayVpcEndpointOptions.builder()
                                .service(GatewayVpcEndpointAwsService.S3)
                                .build());
        objects.forEach(it -> s3.addToPolicy(statement(it, names)));
        endpoint("SecretsManager", InterfaceVpcEndpointAwsService.SECRETS_MANAGER, secrets);
        if (!keys.isEmpty()) {
            endpoint("Kms", InterfaceVpcEndpointAwsService.KMS, keys);
        }
    }

    /** Lets callers inside to {@code tables} of DynamoDB, by an endpoint that is free. */
    public void tables(List<Allowance> tables) {
        var dynamo =
                vpc.addGatewayEndpoint(
                        "DynamoDb",
                        GatewayVpcEndpointOptions.builder()
                                .service(GatewayVpcEndpointAwsService.DYNAMODB)
                                .build());
        tables.forEach(it -> dynamo.addToPolicy(statement(it, names)));
    }

    /** Lets callers inside to what is allowed of another service; paid by the hour. */
    public void endpoint(
            String id, InterfaceVpcEndpointAwsService service, List<Allowance> allowances) {
        var endpoint =
                vpc.addInterfaceEndpoint(
                        id,
                        InterfaceVpcEndpointOptions.builder()
                                .service(service)
                                .open(false)
                                .securityGroups(List.of(inside))
                                .build());
        allowances.forEach(it -> endpoint.addToPolicy(statement(it, names)));
    }

    private static PolicyStatement statement(Allowance allowance, Names names) {
        return PolicyStatement.Builder.create()
                .principals(List.of(new AnyPrincipal()))
                .actions(allowance.actions())
                .resources(allowance.resources())
                .conditions(Map.of("StringEquals", Map.of("aws:PrincipalAccount", names.account())))
                .build();
    }

    /** Where a function stands in it that reaches these ports of servers beside it. */
    public VaultDrFunction.Reach reach(Integer... ports) {
        return new VaultDrFunction.Reach(
                vpc,
                SubnetSelection.builder().subnetType(SubnetType.PRIVATE_ISOLATED).build(),
                Set.of(ports));
    }

    /** The network itself. */
    public Vpc vpc() {
        return vpc;
    }
}
