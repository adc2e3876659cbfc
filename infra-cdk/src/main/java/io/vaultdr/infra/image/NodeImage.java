package io.vaultdr.infra.image;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import io.vaultdr.infra.config.Config.Artifact;
import io.vaultdr.infra.config.Names;
import io.vaultdr.infra.construct.Roles;
import io.vaultdr.infra.iam.ImageBuildPolicy;

import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.ec2.ISecurityGroup;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.Peer;
import software.amazon.awscdk.services.ec2.Port;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.iam.CfnInstanceProfile;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.imagebuilder.CfnComponent;
import software.amazon.awscdk.services.imagebuilder.CfnDistributionConfiguration;
import software.amazon.awscdk.services.imagebuilder.CfnImagePipeline;
import software.amazon.awscdk.services.imagebuilder.CfnImageRecipe;
import software.amazon.awscdk.services.imagebuilder.CfnInfrastructureConfiguration;
import software.amazon.awscdk.services.logs.LogGroup;
import software.amazon.awscdk.services.logs.RetentionDays;
import software.amazon.awscdk.services.s3.assets.Asset;
import software.constructs.Construct;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A pipeline that makes the image of a server: Amazon Linux 2023, the server by its hash, its unit,
 * the agents and the boot script. Each region that nodes start in gets an encrypted copy, and its
 * id in an SSM parameter, which the launch templates read. A build that isn't as it should be gives
 * no image: the machine that it is made on refuses a program of another hash, and a second one,
 * that was started from the image, is looked at before it is handed out.
 *
 * <p>A step can't be changed, only followed by another version: versions are made of what the step
 * says, so that a change in any file makes a new one and nothing else does.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/imagebuilder/latest/userguide/cr-upd-ami-distribution-settings.html">SSM
 *     parameters that Image Builder writes</a>
 */
public final class NodeImage extends Construct {
    /** What it is made of: AWS writes the id of its newest release there, in every region. */
    static final String PARENT =
            "ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64";

    private static final String FETCHED = "/var/tmp/vault-dr";
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    private final String recipeName;

    /**
     * What an image is made by.
     *
     * @param name what its parts' names begin with
     * @param region where it is made, and where its programs' bucket is
     * @param regions where nodes start from it
     * @param parameter the SSM parameter that holds its id, of the same name in each region
     */
    public record Props(
            Names names,
            String name,
            String region,
            List<String> regions,
            String parameter,
            ImageContent content,
            IVpc vpc,
            String subnet) {}

    public NodeImage(Construct scope, String id, Props props) {
        super(scope, id);
        recipeName = props.name();
        Asset files =
                Asset.Builder.create(this, "Files")
                        .path(props.content().written().toString())
                        .build();
        CfnComponent build = component("Build", props.name() + "-build", building(props, files));
        CfnComponent test = component("Test", props.name() + "-test", testing());
        String log = "/aws/imagebuilder/" + recipeName;
        LogGroup.Builder.create(this, "Log")
                .logGroupName(log)
                .retention(RetentionDays.THREE_MONTHS)
                .removalPolicy(RemovalPolicy.DESTROY)
                .build();
        CfnImagePipeline.Builder.create(this, "Pipeline")
                .name(props.name())
                .description("Makes the image of " + props.names().pair() + "'s nodes")
                .imageRecipeArn(recipe(build, test).getRef())
                .infrastructureConfigurationArn(
                        machine(props, files, List.of(build, test), log).getRef())
                .distributionConfigurationArn(distribution(props).getRef())
                .enhancedImageMetadataEnabled(true)
                .imageTestsConfiguration(
                        CfnImagePipeline.ImageTestsConfigurationProperty.builder()
                                .imageTestsEnabled(true)
                                .timeoutMinutes(60)
                                .build())
                // The system's own corrections come with a new image, at least monthly.
                .schedule(
                        CfnImagePipeline.ScheduleProperty.builder()
                                .scheduleExpression("cron(0 3 1 * ? *)")
                                .pipelineExecutionStartCondition("EXPRESSION_MATCH_ONLY")
                                .build())
                .build();
    }

    /** What the names of all its images begin with, in events. */
    public String recipeName() {
        return recipeName;
    }

    private CfnComponent component(String id, String name, Map<String, Object> steps) {
        String data;
        try {
            data = YAML.writeValueAsString(steps);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(steps + " as YAML", e);
        }
        return CfnComponent.Builder.create(this, id)
                .name(name)
                .version(version(data))
                .platform("Linux")
                .supportedOsVersions(List.of("Amazon Linux 2023"))
                .data(data)
                .build();
    }

    private Map<String, Object> building(Props props, Asset files) {
        ImageContent content = props.content();
        List<Map<String, Object>> downloads = new ArrayList<>();
        downloads.add(
                download(files.getS3BucketName(), files.getS3ObjectKey(), FETCHED + "/files.zip"));
        downloads.add(download(props, content.server(), "server"));
        content.sealPlugin().ifPresent(it -> downloads.add(download(props, it, "plugin")));
        String hashes =
                content.server().sha256()
                        + content.sealPlugin().map(it -> " " + it.sha256()).orElse("");
        return document(
                "Installs the server, its unit, the agents and the boot script",
                "build",
                List.of(
                        step("Fetch", "S3Download", downloads),
                        step(
                                "Install",
                                "ExecuteBash",
                                Map.of(
                                        "commands",
                                        List.of(
                                                "set -eu",
                                                "cd " + FETCHED,
                                                "python3 -m zipfile -e files.zip files",
                                                "sh files/install.sh " + hashes,
                                                "rm -rf " + FETCHED)))));
    }

    private Map<String, Object> testing() {
        return document(
                "Looks at a machine that was started from the image",
                "test",
                List.of(
                        step(
                                "Verify",
                                "ExecuteBash",
                                Map.of(
                                        "commands",
                                        List.of("sh /usr/local/lib/vault-dr/verify.sh")))));
    }

    private static Map<String, Object> document(
            String description, String phase, List<Map<String, Object>> steps) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("name", "vault-dr " + phase);
        document.put("description", description);
        document.put("schemaVersion", 1.0);
        Map<String, Object> phases = new LinkedHashMap<>();
        phases.put("name", phase);
        phases.put("steps", steps);
        document.put("phases", List.of(phases));
        return document;
    }

    private static Map<String, Object> step(String name, String action, Object inputs) {
        Map<String, Object> step = new LinkedHashMap<>();
        step.put("name", name);
        step.put("action", action);
        step.put("timeoutSeconds", 1_800);
        step.put("onFailure", "Abort");
        step.put("inputs", inputs);
        return step;
    }

    private Map<String, Object> download(Props props, Artifact artifact, String file) {
        return download(bucket(props, artifact), artifact.key(), FETCHED + "/" + file);
    }

    private static Map<String, Object> download(String bucket, String key, String to) {
        Map<String, Object> download = new LinkedHashMap<>();
        download.put("source", "s3://" + bucket + "/" + key);
        download.put("destination", to);
        return download;
    }

    private static String bucket(Props props, Artifact artifact) {
        return artifact.bucket().orElseGet(() -> props.names().servers(props.region()));
    }

    private CfnImageRecipe recipe(CfnComponent build, CfnComponent test) {
        String content = PARENT + build.getVersion() + test.getVersion();
        return CfnImageRecipe.Builder.create(this, "Recipe")
                .name(recipeName)
                .version(version(content))
                .parentImage(PARENT)
                .components(List.of(component(build), component(test)))
                .blockDeviceMappings(
                        List.of(
                                CfnImageRecipe.InstanceBlockDeviceMappingProperty.builder()
                                        .deviceName("/dev/xvda")
                                        .ebs(
                                                CfnImageRecipe
                                                        .EbsInstanceBlockDeviceSpecificationProperty
                                                        .builder()
                                                        .encrypted(true)
                                                        .deleteOnTermination(true)
                                                        .volumeType("gp3")
                                                        .volumeSize(8)
                                                        .build())
                                        .build()))
                .build();
    }

    private static CfnImageRecipe.ComponentConfigurationProperty component(CfnComponent component) {
        return CfnImageRecipe.ComponentConfigurationProperty.builder()
                .componentArn(component.getRef())
                .build();
    }

    private CfnInfrastructureConfiguration machine(
            Props props, Asset files, List<CfnComponent> components, String log) {
        List<String> objects = new ArrayList<>();
        objects.add(object(files.getS3BucketName(), files.getS3ObjectKey()));
        for (Artifact artifact : programs(props.content())) {
            objects.add(object(bucket(props, artifact), artifact.key()));
        }
        String name = props.name() + "-build-" + props.region();
        Role role =
                Roles.role(
                        this,
                        "Role",
                        name,
                        "ec2.amazonaws.com",
                        new ImageBuildPolicy(
                                        props.names(),
                                        props.region(),
                                        components.stream().map(CfnComponent::getName).toList(),
                                        objects,
                                        log)
                                .allowances());
        CfnInstanceProfile profile =
                CfnInstanceProfile.Builder.create(this, "Profile")
                        .instanceProfileName(name)
                        .roles(List.of(role.getRoleName()))
                        .build();
        CfnInfrastructureConfiguration machine =
                CfnInfrastructureConfiguration.Builder.create(this, "Machine")
                        .name(props.name())
                        .instanceTypes(List.of("t4g.small", "m7g.large"))
                        .instanceProfileName(name)
                        .subnetId(props.subnet())
                        .securityGroupIds(List.of(outwards(props).getSecurityGroupId()))
                        .instanceMetadataOptions(
                                CfnInfrastructureConfiguration.InstanceMetadataOptionsProperty
                                        .builder()
                                        .httpTokens("required")
                                        .httpPutResponseHopLimit(1)
                                        .build())
                        .terminateInstanceOnFailure(true)
                        .build();
        machine.getNode().addDependency(profile);
        return machine;
    }

    private static List<Artifact> programs(ImageContent content) {
        List<Artifact> all = new ArrayList<>(List.of(content.server()));
        Optional<Artifact> plugin = content.sealPlugin();
        plugin.ifPresent(all::add);
        return all;
    }

    private static String object(String bucket, String key) {
        return "arn:aws:s3:::" + bucket + "/" + key;
    }

    private ISecurityGroup outwards(Props props) {
        SecurityGroup group =
                SecurityGroup.Builder.create(this, "Outwards")
                        .vpc(props.vpc())
                        .description(
                                "Lets a build machine reach AWS and the packages of its system")
                        .allowAllOutbound(false)
                        .build();
        group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), "AWS and Amazon Linux's packages");
        return group;
    }

    private CfnDistributionConfiguration distribution(Props props) {
        return CfnDistributionConfiguration.Builder.create(this, "Distribution")
                .name(props.name())
                .distributions(
                        props.regions().stream()
                                .map(region -> distribution(props, region))
                                .toList())
                .build();
    }

    private CfnDistributionConfiguration.DistributionProperty distribution(
            Props props, String region) {
        Map<String, Object> image = new LinkedHashMap<>();
        image.put("Name", props.name() + " {{ imagebuilder:buildDate }}");
        image.put(
                "AmiTags",
                new TreeMap<>(
                        Map.of(
                                "vault-dr-server",
                                props.content().version(),
                                "vault-dr",
                                props.name())));
        return CfnDistributionConfiguration.DistributionProperty.builder()
                .region(region)
                .amiDistributionConfiguration(image)
                .ssmParameterConfigurations(
                        List.of(
                                CfnDistributionConfiguration.SsmParameterConfigurationProperty
                                        .builder()
                                        .amiAccountId(Stack.of(this).getAccount())
                                        .parameterName(props.parameter())
                                        .dataType("text")
                                        .build()))
                .build();
    }

    /** A version that content alone decides: 1.0.n, where n is of its SHA-256. */
    private String version(String content) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(
                                    String.valueOf(Stack.of(this).resolve(content))
                                            .getBytes(StandardCharsets.UTF_8));
            int number = 0;
            for (int i = 0; i < 4; i++) {
                number = (number << 8) | (hash[i] & 0xff);
            }
            return "1.0." + (number & 0x1fff_ffff);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("a Java without SHA-256", e);
        }
    }
}
