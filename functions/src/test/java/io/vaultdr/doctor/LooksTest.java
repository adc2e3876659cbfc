package io.vaultdr.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.failover.TestPair;
import io.vaultdr.model.Check;
import io.vaultdr.model.Check.Result;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.Json;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;
import io.vaultdr.snapshot.SealKeys;
import io.vaultdr.vault.ServerChecks.Expected;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

class LooksTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @Test
    void areTakenAtOnceAndToldInTheirOrder() {
        CountDownLatch both = new CountDownLatch(2);
        Looks looks = Looks.none();
        for (String target : List.of("first", "second")) {
            looks =
                    looks.seeing(
                            "meeting",
                            target,
                            () -> {
                                both.countDown();
                                try {
                                    return "met " + both.await(10, TimeUnit.SECONDS);
                                } catch (InterruptedException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
        }
        assertEquals(
                List.of(
                        Check.ok("meeting", "first", "met true"),
                        Check.ok("meeting", "second", "met true")),
                looks.take(LIMIT));
    }

    @Test
    void tellAFailureAndItsRemedyWithoutEndingTheOthers() {
        assertEquals(
                List.of(
                        Check.failed("ledger", "table", "read it: 403", "Allow it"),
                        Check.notLookedAt("document", "stop", "it stops servers"),
                        Check.failed("several", "all", "ask: silence", "Ask again")),
                Looks.none()
                        .seeing(
                                Check.LEDGER,
                                "table",
                                () -> {
                                    throw new Failure.Terminal("read it", "403", "Allow it");
                                })
                        .leaving(Check.DOCUMENT, "stop", "it stops servers")
                        .and(
                                "several",
                                "all",
                                () -> {
                                    throw new Failure.Retryable("ask", "silence", "Ask again");
                                })
                        .take(LIMIT));
    }

    @Test
    void oneThatHangsIsGivenUp() {
        CountDownLatch never = new CountDownLatch(1);
        List<Check> taken =
                Looks.none()
                        .seeing(
                                Check.BUCKET,
                                "far away",
                                () -> {
                                    try {
                                        never.await();
                                    } catch (InterruptedException e) {
                                        Thread.currentThread().interrupt();
                                    }
                                    return "";
                                })
                        .seeing(Check.LEDGER, "table", () -> "read")
                        .take(Duration.ofSeconds(1));

        assertEquals(List.of(Result.FAILED, Result.OK), taken.stream().map(Check::result).toList());
        assertEquals("no answer within 1 s", taken.getFirst().saw());
    }

    @Test
    void aMistakeOfOursIsNoCheck() {
        Looks looks =
                Looks.none()
                        .seeing(
                                "x",
                                "y",
                                () -> {
                                    throw new IllegalArgumentException("ours");
                                });
        assertThrows(IllegalStateException.class, () -> looks.take(LIMIT));
    }

    /** Only an enabled key opens anything, and every other state says what to do. */
    @ParameterizedTest
    @EnumSource(SealKeys.State.class)
    void aKeyIsWellWhenItIsEnabled(SealKeys.State state) {
        Check check = Looks.key("arn", state);
        boolean usable = state == SealKeys.State.USABLE;
        assertEquals(usable ? Result.OK : Result.FAILED, check.result());
        assertEquals(usable, check.fix().isEmpty());
    }

    @Test
    void whatNeedntBeThereIsNotLookedAtInsteadOfFailed() {
        Check failed = Check.failed("TCP", "n1", "refused", "Start it");
        assertEquals(
                Check.notLookedAt("TCP", "n1", "it may be away: refused"),
                failed.lenient("it may be away"));
        Check ok = Check.ok("TCP", "n1", "open");
        assertEquals(ok, ok.lenient("it may be away"));
    }

    @Test
    void aFailureKeepsItsKindWhenMoreIsFoundOutAboutIt() {
        Failure failure = new Failure.OutcomeUnknown("write it", "silence", "Read it.");
        Failure more = failure.with("found TCP n1: refused");
        assertTrue(more instanceof Failure.OutcomeUnknown);
        assertEquals("write it: silence: found TCP n1: refused. Read it.", more.getMessage());
    }

    @Test
    void theServingSideServesAndAWarmStandbyIsBlank() throws IOException {
        var pair = TestPair.at(Stage.AUTOMATIC);
        assertEquals(Expected.SERVING, Standing.of(pair, Side.HOME, Optional.of(Side.HOME)));
        assertEquals(Expected.SERVING, Standing.of(pair, Side.HOME, Optional.empty()));
        assertEquals(Expected.SERVING, Standing.of(pair, Side.DR, Optional.of(Side.DR)));
        assertEquals(Expected.ANYTHING, Standing.of(pair, Side.HOME, Optional.of(Side.DR)));
        assertEquals(Expected.BLANK, Standing.of(pair, Side.DR, Optional.of(Side.HOME)));
        // A pilot light has no server before it is promoted.
        var pilot =
                Json.MAPPER.readValue(
                        Json.MAPPER.writeValueAsString(pair).replace("WARM_STANDBY", "PILOT_LIGHT"),
                        PairSettings.class);
        assertEquals(Expected.ANYTHING, Standing.of(pilot, Side.DR, Optional.of(Side.HOME)));
    }
}
