package io.vaultdr.rehearsal.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

/** The part of IAM that our policies use. */
class PolicyTest {
    @Test
    void grantsWhatAnAllowCoversAndNoDenyTakesAway() throws Exception {
        Policy policy =
                policy(
                        """
                        [{"Effect":"Allow","Action":["s3:Get*","s3:PutObject"],"Resource":"arn:aws:s3:::b/*"},
                         {"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/locked/*"}]
                        """);

        assertTrue(policy.grants("s3:GetObject", "arn:aws:s3:::b/x", Map.of()));
        assertFalse(policy.grants("s3:GetObject", "arn:aws:s3:::c/x", Map.of()));
        assertFalse(policy.grants("s3:DeleteObject", "arn:aws:s3:::b/x", Map.of()));
        assertFalse(policy.grants("s3:GetObject", "arn:aws:s3:::b/locked/x", Map.of()));
    }

    @Test
    void holdsToConditions() throws Exception {
        Policy policy =
                policy(
                        """
                        [{"Effect":"Allow","Action":"a:One","Resource":"*",
                          "Condition":{"StringEquals":{"ssm:resourceTag/side":"dr"}}},
                         {"Effect":"Allow","Action":"a:All","Resource":"*",
                          "Condition":{"ForAllValues:StringEquals":{"names":["x","y"]}}},
                         {"Effect":"Allow","Action":"a:Any","Resource":"*",
                          "Condition":{"ForAnyValue:StringEquals":{"names":["x"]}}},
                         {"Effect":"Allow","Action":"a:Given","Resource":"*",
                          "Condition":{"Null":{"s3:if-none-match":"false"}}}]
                        """);

        assertTrue(policy.grants("a:One", "r", Map.of("ssm:ResourceTag/side", List.of("dr"))));
        assertFalse(policy.grants("a:One", "r", Map.of("ssm:resourceTag/side", List.of("home"))));
        assertFalse(policy.grants("a:One", "r", Map.of()));
        assertTrue(policy.grants("a:All", "r", Map.of("names", List.of("x", "y"))));
        assertFalse(policy.grants("a:All", "r", Map.of("names", List.of("x", "z"))));
        assertTrue(policy.grants("a:Any", "r", Map.of("names", List.of("x", "z"))));
        assertTrue(policy.grants("a:Given", "r", Map.of("s3:if-none-match", List.of("*"))));
        assertFalse(policy.grants("a:Given", "r", Map.of()));
    }

    @Test
    void letsOnlyTheNamedAddressesReadTheFlag() throws Exception {
        Policy policy =
                policy(
                        """
                        [{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::f/traffic/dr",
                          "Condition":{"IpAddress":{"aws:SourceIp":["54.183.255.128/26"]}}},
                         {"Effect":"Deny","Principal":{"AWS":"*"},"Action":"s3:*","Resource":"arn:aws:s3:::f/*",
                          "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]
                        """);
        Map<String, List<String>> checker =
                Map.of(
                        "aws:SourceIp", List.of("54.183.255.130"),
                        "aws:SecureTransport", List.of("true"));
        Map<String, List<String>> other = Map.of("aws:SourceIp", List.of("54.183.255.1"));

        assertTrue(policy.grantsEveryone("s3:GetObject", "arn:aws:s3:::f/traffic/dr", checker));
        assertFalse(policy.grantsEveryone("s3:GetObject", "arn:aws:s3:::f/other", checker));
        assertFalse(policy.grantsEveryone("s3:GetObject", "arn:aws:s3:::f/traffic/dr", other));
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        var error =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> policy("[{\"Effect\":\"Allow\",\"NotAction\":\"*\"}]"));

        assertEquals("here: policy element NotAction isn't evaluated here", error.getMessage());
    }

    private static Policy policy(String statements) throws Exception {
        return Policy.of(
                List.of(Json.MAPPER.readTree("{\"Statement\":" + statements + "}")), "here");
    }
}
