package io.vaultdr.infra.construct;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.iam.FunctionPolicy;
import io.vaultdr.infra.iam.Policy;

import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.Size;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.events.CronOptions;
import software.amazon.awscdk.services.events.EventPattern;
import software.amazon.awscdk.services.events.IRuleTarget;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.RuleTargetInput;
import software.amazon.awscdk.services.events.Schedule;
import software.amazon.awscdk.services.events.targets.LambdaFunction;
import software.amazon.awscdk.services.iam.IRole;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.lambda.Alias;
import software.amazon.awscdk.services.lambda.Architecture;
import software.amazon.awscdk.services.lambda.Code;
import software.amazon.awscdk.services.lambda.Function;
import software.amazon.awscdk.services.lambda.LoggingFormat;
import software.amazon.awscdk.services.lambda.Runtime;
import software.amazon.awscdk.services.lambda.Tracing;
import software.amazon.awscdk.services.lambda.Version;
import software.amazon.awscdk.services.lambda.VersionOptions;
import software.amazon.awscdk.services.lambda.destinations.SqsDestination;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.logs.RetentionDays;
import software.amazon.awscdk.services.sqs.IQueue;
import software.constructs.Construct;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A function with all that every function has: its log with an end, traces, a role of its own, a
 * version that outlives deployments, aliases, a queue for events it couldn't handle, and alarms on
 * errors, throttling and, where it is to run by itself, silence.
 */
public final class VaultDrFunction extends Construct {
    /** At the beginning of each minute. */
    public static final Schedule EVERY_MINUTE =
            Schedule.cron(CronOptions.builder().minute("*").build());

    /** Lambda's 4 KB, less what {@link VaultDrFunction} puts in itself. */
    private static final int ENVIRONMENT = 4_096 - 160;

    private final Version version;
    private final Map<String, Alias> aliases = new LinkedHashMap<>();
    private final Props props;

    /**
     * What a function is.
     *
     * @param name its whole name
     * @param handler the simple name of its class in {@code io.vaultdr.handler}
     * @param zip the zip that Maven built
     * @param reach where it stands and whom it talks to; empty: outside any VPC
     * @param aliases the names that its version is called by
     * @param reserved how many may run at once, where more would do harm
     */
    public record Props(
            String name,
            String handler,
            String description,
            Path zip,
            int memoryMiB,
            int scratchMiB,
            Duration timeout,
            Map<String, String> environment,
            Policy policy,
            Optional<Reach> reach,
            Pages pages,
            IQueue undelivered,
            List<String> aliases,
            Optional<Integer> reserved) {

        public Props {
            if (name.length() > 64) {
                throw new IllegalArgumentException(name + ": expected 64 characters at the most");
            }
            if (timeout.toSeconds() > 900) {
                throw new IllegalArgumentException(timeout + ": expected 15 minutes at the most");
            }
            int size =
                    environment.entrySet().stream()
                            .mapToInt(it -> bytes(it.getKey()) + bytes(it.getValue()))
                            .sum();
            if (size > ENVIRONMENT) {
                throw new IllegalArgumentException(
                        name
                                + ": its settings take "
                                + size
                                + " bytes, expected "
                                + ENVIRONMENT
                                + " at the most, which is what Lambda lets an environment hold;"
                                + " shorten the nodes' and records' names, or leave out nodes: the"
                                + " address alone does where it leads to each");
            }
        }
    }

    /**
     * Where a function stands that talks to servers.
     *
     * @param ports the servers' ports
     */
    public record Reach(IVpc vpc, SubnetSelection subnets, Set<Integer> ports) {
        /** The network of {@code cluster}, towards the ports of its addresses. */
        public static Reach to(Networks networks, Config.Cluster cluster) {
            return new Reach(
                    networks.vpc(cluster.network()),
                    networks.subnets(cluster.network()),
                    ports(List.of(cluster)));
        }

        /** The ports at which {@code clusters} answer. */
        public static Set<Integer> ports(List<Config.Cluster> clusters) {
            return clusters.stream()
                    .flatMap(
                            cluster ->
                                    Stream.concat(
                                            Stream.of(cluster.address()), cluster.nodes().stream()))
                    .map(URI::getPort)
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    public VaultDrFunction(Construct scope, String id, Props props) {
        super(scope, id);
        this.props = props;
        LogGroup log =
                LogGroup.Builder.create(this, "Log")
                        .logGroupName("/aws/lambda/" + props.name())
                        .retention(RetentionDays.THREE_MONTHS)
                        .removalPolicy(RemovalPolicy.DESTROY)
                        .build();
        Stack stack = Stack.of(this);
        FunctionPolicy any =
                new FunctionPolicy(
                        logArn(stack),
                        props.undelivered().getQueueArn(),
                        props.reach().isPresent());
        IRole role =
                Roles.role(
                                this,
                                "Role",
                                props.name() + "-" + stack.getRegion(),
                                new ServicePrincipal("lambda.amazonaws.com"),
                                Stream.concat(
                                                any.allowances().stream(),
                                                props.policy().allowances().stream())
                                        .toList(),
                                any.denials(arn(stack, "lambda", "function:" + props.name())))
                        // What constructs would add by themselves stands in the policy already.
                        .withoutPolicyUpdates();
        Map<String, String> environment = new LinkedHashMap<>(props.environment());
        environment.put("POWERTOOLS_SERVICE_NAME", props.name());
        environment.put("POWERTOOLS_METRICS_NAMESPACE", "VaultDr");
        // The global endpoint of STS is in us-east-1.
        environment.put("AWS_STS_REGIONAL_ENDPOINTS", "regional");
        Function.Builder builder =
                Function.Builder.create(this, "Function")
                        .functionName(props.name())
                        .description(props.description())
                        .runtime(Runtime.JAVA_25)
                        .architecture(Architecture.ARM_64)
                        .handler("io.vaultdr.handler." + props.handler() + "::handleRequest")
                        .code(Code.fromAsset(props.zip().toAbsolutePath().toString()))
                        .memorySize(props.memoryMiB())
                        .ephemeralStorageSize(Size.mebibytes(props.scratchMiB()))
                        .timeout(Times.of(props.timeout()))
                        .environment(environment)
                        .role(role)
                        .logGroup(log)
                        .loggingFormat(LoggingFormat.JSON)
                        .tracing(Tracing.ACTIVE)
                        .currentVersionOptions(
                                VersionOptions.builder()
                                        // Running executions keep the version they began with.
                                        .removalPolicy(RemovalPolicy.RETAIN)
                                        .build());
        props.reserved().ifPresent(builder::reservedConcurrentExecutions);
        props.reach()
                .ifPresent(
                        reach ->
                                builder.vpc(reach.vpc())
                                        .vpcSubnets(reach.subnets())
                                        .securityGroups(List.of(securityGroup(reach))));
        Function function = builder.build();
        version = function.getCurrentVersion();
        for (String alias : props.aliases()) {
            aliases.put(
                    alias,
                    Alias.Builder.create(this, "Alias" + alias)
                            .aliasName(alias)
                            .version(version)
                            .onFailure(new SqsDestination(props.undelivered()))
                            .retryAttempts(2)
                            .maxEventAge(Times.minutes(5))
                            .build());
        }
        MetricOptions sum =
                MetricOptions.builder().period(Times.minutes(5)).statistic("Sum").build();
        props.pages()
                .alarm(
                        this,
                        "Errors",
                        Pages.Raise.onAny(
                                props.name() + "-errors",
                                props.name() + " failed: its log says why.",
                                "function-errors",
                                function.metricErrors(sum)));
        props.pages()
                .alarm(
                        this,
                        "Throttles",
                        new Pages.Raise(
                                props.name() + "-throttles",
                                props.name()
                                        + " was not let run: the account's or its own concurrency"
                                        + " is used up.",
                                "function-throttles",
                                function.metricThrottles(sum),
                                ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                                1,
                                // Who runs alone waits for itself now and then, and is asked again.
                                props.reserved().isPresent() ? 3 : 1,
                                TreatMissingData.NOT_BREACHING));
    }

    /** The version that this deployment made; it stays when the next one comes. */
    public Version version() {
        return version;
    }

    /** The alias of that name. */
    public Alias alias(String name) {
        return Objects.requireNonNull(aliases.get(name), name);
    }

    /**
     * Runs it by the clock, and raises an alarm when it doesn't run.
     *
     * @param every how often that is; the silence of two is an alarm
     */
    public void schedule(Schedule schedule, Duration every) {
        rule("Schedule", "", "Runs " + props.name() + " by the clock", target(1).build())
                .schedule(schedule)
                .build();
        Duration period = every.compareTo(Duration.ofHours(1)) > 0 ? every : every.multipliedBy(2);
        int minutes = (int) Math.max(5, period.toMinutes());
        props.pages()
                .alarm(
                        this,
                        "Silence",
                        Pages.Raise.onNone(
                                props.name() + "-silent",
                                props.name() + " doesn't run, although its schedule says so.",
                                "function-silent",
                                version.getLambda()
                                        .metricInvocations(
                                                MetricOptions.builder()
                                                        .period(Times.minutes(minutes))
                                                        .statistic("Sum")
                                                        .build()),
                                1));
    }

    /** Runs it when something happens. */
    public void on(String id, EventPattern pattern, String what) {
        rule(
                        id,
                        "-" + id.toLowerCase(Locale.ROOT),
                        "Runs " + props.name() + " when " + what,
                        target(60).build())
                .eventPattern(pattern)
                .build();
    }

    /**
     * Lets it go its whole way once a day, but for the last call: a function in a VPC that idles
     * for 14 days loses its network interfaces, and one that is only needed in need would show by
     * then what it lacks.
     */
    public void dryRunDaily(String alias) {
        rule(
                        "DryRun",
                        "-dry-run",
                        "Runs " + props.name() + " once a day, but for its last call",
                        LambdaFunction.Builder.create(alias(alias))
                                .event(RuleTargetInput.fromObject(Map.of("dryRun", true)))
                                .retryAttempts(2)
                                .maxEventAge(Times.minutes(60))
                                .build())
                .schedule(Schedule.cron(CronOptions.builder().minute("41").hour("8").build()))
                .build();
    }

    private Rule.Builder rule(String id, String suffix, String description, IRuleTarget target) {
        return Rule.Builder.create(this, id)
                .ruleName(props.name() + suffix)
                .description(description)
                .targets(List.of(target));
    }

    private LambdaFunction.Builder target(int minutes) {
        return LambdaFunction.Builder.create(alias("live"))
                .retryAttempts(2)
                .maxEventAge(Times.minutes(minutes));
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    private String logArn(Stack stack) {
        return arn(stack, "logs", "log-group:/aws/lambda/" + props.name());
    }

    private static String arn(Stack stack, String service, String resource) {
        return String.join(
                ":", "arn:aws", service, stack.getRegion(), stack.getAccount(), resource);
    }

    private ISecurityGroup securityGroup(Reach reach) {
        SecurityGroup group =
                SecurityGroup.Builder.create(this, "SecurityGroup")
                        .securityGroupName(props.name())
                        .description("What " + props.name() + " may reach")
                        .vpc(reach.vpc())
                        .allowAllOutbound(false)
                        .build();
        reach.ports().stream()
                .filter(port -> port != 443)
                .forEach(
                        port ->
                                group.addEgressRule(
                                        Peer.anyIpv4(), Port.tcp(port), "Vault's servers"));
        group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), "AWS and servers behind 443");
        return group;
    }
}
