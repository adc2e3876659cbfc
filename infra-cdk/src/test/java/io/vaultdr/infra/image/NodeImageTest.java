package io.vaultdr.infra.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;

import io.vaultdr.infra.Bare;
import io.vaultdr.infra.config.Names;
import io.vaultdr.model.PairId;
import io.vaultdr.runtime.PairSettings.Edition;

import org.junit.jupiter.api.Test;

import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The pipeline that makes an image, in a stack of nothing else. */
class NodeImageTest {
    private static final String PARAMETER = "/imagebuilder/vault-dr/payments/image";
    private static final Names NAMES =
            new Names("vault-dr", new PairId("payments"), "111122223333", Map.of(), Map.of());

    private static Map<String, JsonNode> synthesised(ImageContent content) {
        return Bare.resources(
                "eu-central-1",
                stack ->
                        new NodeImage(
                                stack,
                                "Image",
                                new NodeImage.Props(
                                        NAMES,
                                        NAMES.of("image"),
                                        "eu-central-1",
                                        List.of("eu-central-1", "eu-west-1"),
                                        PARAMETER,
                                        content,
                                        Vpc.fromVpcAttributes(
                                                stack,
                                                "Vpc",
                                                VpcAttributes.builder()
                                                        .vpcId("vpc-0a1b2c3d4e5f60718")
                                                        .availabilityZones(List.of("any"))
                                                        .build()),
                                        "subnet-0a1b2c3d4e5f60718")));
    }

    private static List<JsonNode> of(Map<String, JsonNode> resources, String type) {
        return resources.values().stream()
                .filter(it -> it.get("Type").asText().equals("AWS::ImageBuilder::" + type))
                .map(it -> it.get("Properties"))
                .toList();
    }

    private static JsonNode steps(JsonNode component) {
        try {
            JsonNode document =
                    new ObjectMapper(new YAMLFactory()).readTree(component.get("Data").asText());
            assertEquals(1.0, document.get("schemaVersion").asDouble());
            return document.at("/phases/0");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void fetchesProgramsAndChecksTheirHashes() {
        JsonNode build =
                steps(
                        of(synthesised(ImageContentTest.content(Edition.OPENBAO)), "Component")
                                .get(0));
        assertEquals("build", build.get("name").asText());
        List<String> sources = new ArrayList<>();
        build.at("/steps/0/inputs").forEach(it -> sources.add(it.get("source").asText()));
        assertEquals(
                List.of(
                        "s3://vault-dr-payments-servers-111122223333-eu-central-1/servers/openbao-2.7.2-linux-arm64",
                        "s3://shared-plugins/kms-aws"),
                sources.subList(1, 3));
        assertTrue(
                build.at("/steps/1/inputs/commands/3")
                        .asText()
                        .equals("sh files/install.sh " + "0f".repeat(32) + " " + "1f".repeat(32)),
                build.toString());
    }

    @Test
    void looksAtAMachineThatWasStartedFromIt() {
        Map<String, JsonNode> all = synthesised(ImageContentTest.content(Edition.OPENBAO));
        JsonNode test = steps(of(all, "Component").get(1));
        assertEquals("test", test.get("name").asText());
        assertEquals(
                "sh /usr/local/lib/vault-dr/verify.sh",
                test.at("/steps/0/inputs/commands/0").asText());
        JsonNode pipeline = of(all, "ImagePipeline").get(0);
        assertTrue(pipeline.at("/ImageTestsConfiguration/ImageTestsEnabled").asBoolean());
        // The service's own role may write what stands under /imagebuilder/, so none is given.
        assertFalse(pipeline.has("ExecutionRole"));
        assertTrue(PARAMETER.startsWith("/imagebuilder/"));
    }

    @Test
    void handsAnEncryptedCopyToEachRegionAndSaysItsId() {
        Map<String, JsonNode> all = synthesised(ImageContentTest.content(Edition.OPENBAO));
        JsonNode recipe = of(all, "ImageRecipe").get(0);
        assertEquals(
                "ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64",
                recipe.get("ParentImage").asText());
        assertTrue(recipe.at("/BlockDeviceMappings/0/Ebs/Encrypted").asBoolean());
        List<String> regions = new ArrayList<>();
        for (JsonNode to : of(all, "DistributionConfiguration").get(0).get("Distributions")) {
            regions.add(to.get("Region").asText());
            assertEquals(PARAMETER, to.at("/SsmParameterConfigurations/0/ParameterName").asText());
        }
        assertEquals(List.of("eu-central-1", "eu-west-1"), regions);
    }

    @Test
    void givesAnotherVersionToAnotherContentAndNoOther() {
        List<JsonNode> first =
                of(synthesised(ImageContentTest.content(Edition.OPENBAO)), "Component");
        List<JsonNode> again =
                of(synthesised(ImageContentTest.content(Edition.OPENBAO)), "Component");
        List<JsonNode> other =
                of(synthesised(ImageContentTest.content(Edition.VAULT)), "Component");
        assertEquals(first, again);
        assertNotEquals(first.get(0).get("Version"), other.get(0).get("Version"));
        for (JsonNode component : List.of(first.get(0), other.get(0))) {
            assertTrue(component.get("Version").asText().matches("1\\.0\\.[0-9]{1,9}"));
            assertTrue(component.get("Data").asText().length() < 16_000);
        }
    }

    @Test
    void letsTheBuildMachineReadWhatItInstallsAndNothingElse() {
        JsonNode role =
                synthesised(ImageContentTest.content(Edition.OPENBAO)).values().stream()
                        .filter(it -> it.get("Type").asText().equals("AWS::IAM::Role"))
                        .findFirst()
                        .orElseThrow()
                        .at("/Properties/Policies/0/PolicyDocument/Statement");
        String policy = role.toString();
        for (String never : List.of("secretsmanager", "kms:", "ssm:GetParameter", "s3:Put")) {
            assertFalse(policy.contains(never), never);
        }
    }
}
