package io.vaultdr.handler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.lambda.runtime.Context;
import com.fasterxml.jackson.core.type.TypeReference;

import io.vaultdr.aws.AwsClients;
import io.vaultdr.aws.SnsPager;
import io.vaultdr.failover.Assessment;
import io.vaultdr.failover.DynamoDbTables;
import io.vaultdr.failover.Observation;
import io.vaultdr.failover.Pager;
import io.vaultdr.failover.Readiness;
import io.vaultdr.failover.TestPair;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Slots;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.runtime.Settings;
import io.vaultdr.runtime.Wiring;
import io.vaultdr.runtime.WiringOfVantage;
import io.vaultdr.testing.Moto;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import software.amazon.awssdk.services.cloudwatch.model.Metric;
import software.amazon.awssdk.services.ssm.model.ParameterType;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The two functions of detection, on real events, against moto. */
class FailoverHandlersIT {
    private static final Path EVENTS = Path.of(System.getProperty("vaultdr.root", "."), "events");

    private Moto moto;
    private AwsClients clients;
    private PairSettings pair;

    @BeforeEach
    void start() {
        moto = Moto.start();
        clients = moto.clients();
        pair = TestPair.at(Stage.AUTOMATIC);
        DynamoDbTables.create(clients.dynamoDb(TestPair.DR), "vault-dr-payments-ledger");
        clients.sns(TestPair.DR).createTopic(r -> r.name("vault-dr-payments-pages"));
    }

    @AfterEach
    void stop() {
        moto.close();
    }

    private Wiring wiring() {
        return new Wiring(TestPair.DR, pair, Clock.systemUTC(), clients, Optional.empty());
    }

    private static Context context(int remainingMillis) {
        Context context = Mockito.mock(Context.class);
        Mockito.when(context.getRemainingTimeInMillis()).thenReturn(remainingMillis);
        Mockito.when(context.getAwsRequestId()).thenReturn("request-1");
        Mockito.when(context.getFunctionName()).thenReturn("vault-dr-probe");
        Mockito.when(context.getFunctionVersion()).thenReturn("1");
        Mockito.when(context.getInvokedFunctionArn())
                .thenReturn("arn:aws:lambda:eu-central-1:123456789012:function:vault-dr-probe");
        Mockito.when(context.getMemoryLimitInMB()).thenReturn(512);
        return context;
    }

    @Test
    void evaluationAnswersAlarmAndMinuteAlikeAndStoresWhatItFound() throws IOException {
        Wiring wiring = wiring();
        EvaluateFailoverHandler handler = new EvaluateFailoverHandler(wiring);
        for (String name : List.of("evaluate-failover-alarm", "evaluate-failover")) {
            Map<String, Object> event =
                    Json.MAPPER.readValue(
                            EVENTS.resolve(name + ".json").toFile(), new TypeReference<>() {});
            assertEquals("UNCLEAR, HOLD: UNCLEAR", handler.handleRequest(event, context(30_000)));
        }
        Assessment stored = wiring.ledger().assessment().orElseThrow();
        assertEquals("UNCLEAR", stored.diagnosis());
        assertEquals(2, stored.version());
    }

    @Test
    void theTopicIsReachedWithoutAPage() {
        var sns = clients.sns(TestPair.DR);
        Pager pager = new SnsPager(sns, pair.topicArn());

        // moto confirms no subscription, so it never counts one.
        assertEquals(0, pager.receivers());
        assertThrows(
                Failure.Terminal.class,
                () -> new SnsPager(sns, pair.topicArn() + "-gone").receivers());
    }

    @Test
    void probeWritesEvidenceMetricAndReadiness() throws IOException {
        PairSettings silent = TestPair.at(Stage.AUTOMATIC);
        String path = "/vault-dr/vantage";
        clients.ssm(TestPair.DR)
                .putParameter(
                        r ->
                                r.name(path + "/payments/settings")
                                        .type(ParameterType.STRING)
                                        .value(Json.MAPPER.valueToTree(silent).toString()));
        WiringOfVantage vantage =
                new WiringOfVantage(
                        new Settings.OfVantage(TestPair.DR, path, new Slots(Slots.DEFAULT_LENGTH)),
                        clients,
                        Clock.systemUTC());
        Map<String, Object> event =
                Json.MAPPER.readValue(
                        EVENTS.resolve("probe.json").toFile(), new TypeReference<>() {});
        new ProbeHandler(vantage).handleRequest(event, context(22_000));

        List<Observation> seen =
                wiring().evidence()
                        .between(0, Long.MAX_VALUE / 1000)
                        .getOrDefault(TestPair.DR, List.of());
        assertTrue(!seen.isEmpty());
        seen.forEach(o -> assertEquals(Observation.Evidence.SILENT, o.evidence()));
        List<Metric> metrics =
                clients.cloudWatch(TestPair.DR).listMetrics(r -> r.namespace("VaultDr")).metrics();
        assertEquals("ServingReached", metrics.getFirst().metricName());
        Readiness readiness = wiring().evidence().readiness().getFirst();
        assertTrue(readiness.missing().size() >= 3, readiness::toString);
        assertTrue(readiness.newest().isEmpty());
    }

    /** A doctor's question to a vantage: one pair is looked at, and no evidence is written. */
    @Test
    void theProbeReportsWhatItSeesOfOnePair() {
        String path = "/vault-dr/vantage";
        clients.ssm(TestPair.DR)
                .putParameter(
                        r ->
                                r.name(path + "/payments/settings")
                                        .type(ParameterType.STRING)
                                        .value(
                                                Json.MAPPER
                                                        .valueToTree(TestPair.at(Stage.AUTOMATIC))
                                                        .toString()));
        ProbeHandler handler =
                new ProbeHandler(
                        new WiringOfVantage(
                                new Settings.OfVantage(
                                        TestPair.DR, path, new Slots(Slots.DEFAULT_LENGTH)),
                                clients,
                                Clock.systemUTC()));
        Map<String, Object> event = Map.of("dryRun", true, "report", true, "pair", "payments");

        String checks = String.valueOf(handler.handleRequest(event, context(22_000)));

        assertTrue(checks.contains("vault-dr-payments-ledger"), checks);
        assertTrue(checks.contains("home serves, epoch 0"), checks);
        assertTrue(checks.contains("TCP"), checks);
        assertTrue(
                wiring().evidence().between(0, Long.MAX_VALUE / 1000).values().stream()
                        .allMatch(List::isEmpty),
                "a report writes no evidence");
        assertThrows(
                Failure.Terminal.class,
                () ->
                        handler.handleRequest(
                                Map.of("dryRun", true, "report", true, "pair", "other"),
                                context(22_000)));
    }
}
