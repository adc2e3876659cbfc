package io.vaultdr.rehearsal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.model.Side;
import io.vaultdr.rehearsal.Resolver.Model;
import io.vaultdr.rehearsal.Resolver.Weights;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.time.Duration;
import java.time.Instant;

class ResolverTest {
    private static final Instant START = Instant.parse("2026-03-01T03:00:00Z");
    private static final Model MODEL =
            new Model(
                    Duration.ofSeconds(10), 3, 10, Duration.ofSeconds(10), Duration.ofSeconds(60));

    private Weights weights = new Weights(100, 0);
    private final boolean[] flags = new boolean[2];
    private final Resolver resolver =
            new Resolver(
                    MODEL,
                    new Resolver.Zone() {
                        @Override
                        public Weights weights() {
                            return weights;
                        }

                        @Override
                        public int flags() {
                            return 2;
                        }

                        @Override
                        public boolean stands(int flag) {
                            return flags[flag];
                        }
                    });

    @ParameterizedTest
    @CsvSource({
        "100, 0, true, HOME",
        "100, 0, false, DR",
        "0, 100, true, DR",
        "0, 100, false, DR",
    })
    void answersByWeightAndHealth(int home, int dr, boolean healthy, Side expected) {
        assertEquals(expected, Resolver.answer(new Weights(home, dr), healthy));
    }

    @Test
    void eitherFlagTurnsClientsOnceEnoughCheckersHaveSeenItOftenEnough() {
        run(0, 60);
        assertEquals(Side.HOME, resolver.side());

        flags[1] = true;
        run(60, 79);
        assertEquals(Side.HOME, resolver.side(), "three times in a row takes over 20 s");

        run(79, 79 + 14);
        assertEquals(Side.DR, resolver.side(), "two of ten checkers, then a client's TTL");
    }

    @Test
    void aFlagThatIsTakenAwayTurnsBack() {
        flags[0] = true;
        run(0, 60);
        flags[0] = false;
        run(60, 120);
        assertEquals(Side.HOME, resolver.side());
        assertEquals(2, resolver.turns().size());
    }

    @Test
    void weightsTurnClientsAfterTheirWayToTheNameServers() {
        run(0, 5);
        weights = new Weights(0, 100);
        run(5, 60);
        assertEquals(Side.HOME, resolver.side());
        run(60, 85);
        assertEquals(Side.DR, resolver.side());
        assertTrue(resolver.turns().getFirst().why().contains("0/100"));
    }

    private void run(int fromSecond, int toSecond) {
        for (int tenth = fromSecond * 10; tenth < toSecond * 10; tenth++) {
            resolver.tick(START.plusMillis(tenth * 100L));
        }
    }
}
