package io.vaultdr.infra.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.infra.config.Config.Artifact;
import io.vaultdr.runtime.PairSettings.Edition;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/** The files that an image is made of. */
class ImageContentTest {
    private static final Pattern UNFILLED = Pattern.compile("@[A-Z]+@");

    static ImageContent content(Edition edition) {
        return new ImageContent(
                edition,
                edition == Edition.OPENBAO ? "openbao" : "vault",
                "/opt/openbao/data",
                "/var/log/openbao/audit.log",
                "2.7.2",
                new Artifact(
                        Optional.empty(), "servers/openbao-2.7.2-linux-arm64", "0f".repeat(32)),
                edition == Edition.OPENBAO
                        ? Optional.of(
                                new Artifact(
                                        Optional.of("shared-plugins"), "kms-aws", "1f".repeat(32)))
                        : Optional.empty(),
                "/opt/vault-dr/plugins/seal");
    }

    @ParameterizedTest
    @EnumSource(Edition.class)
    void fillsInEverything(Edition edition) {
        content(edition)
                .files()
                .forEach(
                        (file, text) ->
                                assertFalse(UNFILLED.matcher(text).find(), file + ": " + text));
    }

    private static String file(Edition edition, String name) {
        return Objects.requireNonNull(content(edition).files().get(name), name);
    }

    @Test
    void runsTheServerWithAsLittleAsItNeeds() {
        String unit = file(Edition.OPENBAO, "openbao.service");
        for (String line :
                List.of(
                        "User=openbao",
                        "ExecStart=/usr/local/bin/bao server -config=/etc/vault-dr/server.json",
                        "NoNewPrivileges=yes",
                        "ProtectSystem=strict",
                        "ReadWritePaths=/opt/openbao/data /var/log/openbao",
                        "CapabilityBoundingSet=",
                        "LimitCORE=0",
                        "LimitNOFILE=65536",
                        "MemorySwapMax=0")) {
            assertTrue(unit.lines().anyMatch(line::equals), line);
        }
        // Only the boot script starts it.
        assertFalse(unit.contains("[Install]"));
        assertTrue(
                file(Edition.VAULT, "vault.service")
                        .contains("CapabilityBoundingSet=CAP_IPC_LOCK\n"));
    }

    @Test
    void triesTheBootAgainUnlessAMarkStands() {
        assertTrue(
                file(Edition.OPENBAO, "vault-dr-boot.service")
                        .contains("RestartPreventExitStatus=11\n"));
        assertTrue(
                file(Edition.OPENBAO, "vault-dr-boot.service").contains("vault_dr_node.py boot\n"));
        assertTrue(
                file(Edition.OPENBAO, "vault-dr-watch.service")
                        .contains("vault_dr_node.py watch\n"));
        assertTrue(file(Edition.OPENBAO, "vault-dr-watch.service").contains("Restart=always\n"));
    }

    @Test
    void holdsNothingOfANodeAPairOrAnAccount() {
        content(Edition.OPENBAO)
                .files()
                .forEach(
                        (file, text) -> {
                            assertFalse(text.contains("payments"), file);
                            assertFalse(
                                    text.lines().anyMatch(it -> it.startsWith("-----BEGIN")), file);
                        });
        assertEquals(
                List.of(
                        "README",
                        "install.sh",
                        "logrotate",
                        "openbao.service",
                        "vault-dr-agent.service",
                        "vault-dr-boot.service",
                        "vault-dr-watch.service",
                        "vault_dr_agent.py",
                        "vault_dr_node.py",
                        "verify.sh"),
                List.copyOf(content(Edition.OPENBAO).files().keySet()));
    }
}
