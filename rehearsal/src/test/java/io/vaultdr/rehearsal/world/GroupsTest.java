package io.vaultdr.rehearsal.world;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.rehearsal.world.GroupSpec.Hook;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;

/** How instances come and go, by a clock that the test moves. */
class GroupsTest {
    private static final String REGION = "eu-west-1";
    private static final String GROUP = "payments";
    private static final Hook LAUNCH = new Hook("launch", true, Duration.ofMinutes(10), false);
    private static final Hook END = new Hook("terminate", false, Duration.ofMinutes(5), true);
    private static final Duration DRAINING = Duration.ofSeconds(20);

    private final MovedClock clock = new MovedClock();
    private final Running machines = new Running();
    private final List<String> told = new ArrayList<>();
    private final Network network = Network.take();
    private final Groups groups = new Groups(machines, network, clock, 1, new Told());

    /** Five over three zones, in service. */
    @BeforeEach
    void start() {
        groups.add(spec(90, 100));
        groups.tick();
        letIn();
    }

    private static GroupSpec spec(int minHealthy, int maxHealthy) {
        return new GroupSpec(
                REGION,
                GROUP,
                0,
                6,
                5,
                List.of("a", "b", "c"),
                Map.of("vault-dr", "payments-home"),
                true,
                List.of(LAUNCH, END),
                List.of("targets"),
                minHealthy,
                maxHealthy,
                DRAINING,
                "image-1");
    }

    @AfterEach
    void stop() {
        network.release();
    }

    @Test
    void spreadsOverZonesAndTakesClientsOnlyAfterTheLaunchHook() {
        assertEquals(Map.of("a", 2, "b", 2, "c", 1), perZone());
        assertEquals(Set.of("InService"), states());
        List<String> of = told.stream().filter(it -> it.endsWith(first())).toList();
        assertEquals(
                List.of(
                        "Pending:Wait " + first(),
                        "held by launch " + first(),
                        "registered " + first(),
                        "InService " + first()),
                of);
    }

    @Test
    void bootsAMachineOnlyWhenEc2HasStartedIt() {
        groups.capacity(REGION, GROUP, 6);
        groups.tick();
        String newest = newest();
        pass(Groups.BOOT.minusSeconds(1));
        assertFalse(machines.runs(newest));
        pass(Duration.ofSeconds(1));
        assertTrue(machines.runs(newest));
    }

    @Test
    void givesALaunchUpWhenItsTimeIsOverUnlessAHeartbeatCame() {
        groups.capacity(REGION, GROUP, 6);
        groups.tick();
        String late = newest();
        pass(LAUNCH.heartbeat().minusSeconds(1));
        groups.heartbeat(REGION, GROUP, LAUNCH.name(), late);
        pass(LAUNCH.heartbeat().minusSeconds(1));
        assertEquals("Pending:Wait", state(late));
        pass(Duration.ofSeconds(1));
        assertEquals("Terminating:Wait", state(late), "by ABANDON, the hook's default");
        assertEquals(6, counted(), "another is launched in its place");
    }

    @Test
    void drainsThenHoldsATerminationAndReplacesItMeanwhile() {
        String going = first();
        groups.terminate(REGION, going, false);
        assertEquals("Terminating", state(going));
        assertTrue(told.contains("deregistered " + going));
        groups.tick();
        assertEquals(5, counted());
        pass(DRAINING);
        assertEquals("Terminating:Wait", state(going));
        assertTrue(machines.runs(going), "its machine stays until the hook lets it go");
        groups.complete(REGION, GROUP, END.name(), going, true);
        assertFalse(machines.runs(going));
        assertFalse(ids().contains(going));
    }

    @Test
    void endsATerminationWhenNobodySaysAnything() {
        String going = first();
        groups.terminate(REGION, going, true);
        pass(DRAINING);
        pass(END.heartbeat());
        assertFalse(ids().contains(going));
        assertEquals(4, counted(), "with a capacity of one less");
    }

    @Test
    void replacesADeadMachineOnceItsStatusChecksFail() {
        String dead = first();
        machines.end(dead);
        groups.tick();
        pass(Groups.UNWELL.minusSeconds(1));
        assertEquals("InService", state(dead));
        pass(Duration.ofSeconds(1));
        assertEquals("Terminating", state(dead));
        assertEquals(5, counted());
    }

    @Test
    void keepsADeadInstanceUntilItsReplacementServesWhereThePolicyLaunchesFirst() {
        groups.add(spec(100, 120));
        groups.tick();
        letIn();
        List<String> dead = shown().stream().limit(2).map(it -> it.instance().id()).toList();
        dead.forEach(machines::end);
        groups.tick();
        pass(Groups.UNWELL);
        assertEquals("InService", state(dead.getFirst()));
        assertEquals(7, counted(), "what is unwell doesn't count, so both are replaced at once");
        letIn();
        groups.tick();
        assertEquals("Terminating", state(dead.getFirst()));
        assertEquals("Terminating", state(dead.getLast()));
    }

    @Test
    void leavesADeadMachineWhileThatProcessIsSuspended() {
        String dead = first();
        groups.suspend(REGION, GROUP, List.of("ReplaceUnhealthy"), true);
        machines.end(dead);
        groups.tick();
        pass(Groups.UNWELL);
        assertEquals("InService", state(dead));
        groups.suspend(REGION, GROUP, List.of(), false);
        groups.tick();
        assertEquals("Terminating", state(dead));
    }

    @Test
    void launchesNothingWhileThatProcessIsSuspended() {
        groups.suspend(REGION, GROUP, List.of("Launch"), true);
        groups.terminate(REGION, first(), false);
        groups.tick();
        assertEquals(4, counted());
    }

    @Test
    void replacesALostZoneInTheOthersAndMovesBackWhenItIsThereAgain() {
        groups.loseZone("a");
        groups.tick();
        pass(Groups.UNWELL);
        letIn();
        assertEquals(Map.of("b", 3, "c", 2), perZone());
        groups.restoreZone("a");
        groups.tick();
        assertEquals(Map.of("a", 1, "b", 3, "c", 2), perZone(), "one too many for a while");
        letIn();
        groups.tick();
        assertEquals(Map.of("a", 1, "b", 2, "c", 2), perZone());
    }

    @Test
    void refreshesOneAfterTheOther() {
        Set<String> before = ids();
        groups.image(REGION, GROUP, "image-2");
        groups.refresh(
                REGION,
                GROUP,
                OptionalInt.of(100),
                OptionalInt.of(120),
                Duration.ofSeconds(30),
                true);
        assertThrows(
                Groups.Refused.class,
                () ->
                        groups.refresh(
                                REGION,
                                GROUP,
                                OptionalInt.of(100),
                                OptionalInt.of(120),
                                Duration.ZERO,
                                true));
        for (int i = 0; i < 5; i++) {
            groups.tick();
            assertEquals(6, counted(), "a new one is launched first");
            letIn();
            pass(Duration.ofSeconds(29));
            assertEquals(6, counted(), "and warms up");
            pass(Duration.ofSeconds(1));
            String going = only("Terminating");
            assertTrue(before.contains(going));
            pass(DRAINING);
            groups.complete(REGION, GROUP, END.name(), going, true);
        }
        groups.tick();
        assertEquals("Successful", groups.refresh(REGION, GROUP).orElseThrow().status());
        assertTrue(before.stream().noneMatch(ids()::contains));
        assertTrue(told.contains("refresh Succeeded"));
    }

    @Test
    void failsARefreshWhoseNewInstanceIsGivenUp() {
        groups.image(REGION, GROUP, "image-2");
        groups.refresh(
                REGION, GROUP, OptionalInt.of(100), OptionalInt.of(120), Duration.ZERO, false);
        groups.tick();
        groups.complete(REGION, GROUP, LAUNCH.name(), only("Pending:Wait"), false);
        assertEquals("Failed", groups.refresh(REGION, GROUP).orElseThrow().status());
        assertTrue(told.contains("refresh Failed"));
    }

    @Test
    void refusesWhatItDoesNotKnow() {
        assertThrows(Groups.Refused.class, () -> groups.view(REGION, "another"));
        assertThrows(Groups.Refused.class, () -> groups.capacity(REGION, GROUP, 7));
        assertThrows(
                Groups.Refused.class,
                () -> groups.complete(REGION, GROUP, LAUNCH.name(), first(), true),
                "no hook holds it");
        assertThrows(
                Groups.Refused.class,
                () -> groups.suspend(REGION, GROUP, List.of("AlarmNotification"), true));
        assertThrows(
                Groups.Refused.class,
                () ->
                        groups.refresh(
                                REGION,
                                GROUP,
                                OptionalInt.of(50),
                                OptionalInt.empty(),
                                Duration.ZERO,
                                false),
                "two at a time");
        assertThrows(Groups.Refused.class, () -> groups.terminate(REGION, "i-none", false));
    }

    /** Boots what is launched and completes its hook. */
    private void letIn() {
        pass(Groups.BOOT);
        for (Groups.Shown shown : groups.view(REGION, GROUP).instances()) {
            if (shown.state() == Groups.State.PENDING_WAIT) {
                groups.complete(REGION, GROUP, LAUNCH.name(), shown.instance().id(), true);
            }
        }
    }

    private void pass(Duration time) {
        clock.now = clock.now.plus(time);
        groups.tick();
    }

    private List<Groups.Shown> shown() {
        return groups.view(REGION, GROUP).instances();
    }

    private Set<String> ids() {
        Set<String> ids = new HashSet<>();
        shown().forEach(it -> ids.add(it.instance().id()));
        return ids;
    }

    private String first() {
        return shown().getFirst().instance().id();
    }

    private String newest() {
        return shown().getLast().instance().id();
    }

    private String only(String state) {
        List<String> found =
                shown().stream()
                        .filter(it -> it.state().toString().equals(state))
                        .map(it -> it.instance().id())
                        .toList();
        assertEquals(1, found.size(), state);
        return found.getFirst();
    }

    private String state(String id) {
        return shown().stream()
                .filter(it -> it.instance().id().equals(id))
                .map(it -> it.state().toString())
                .findFirst()
                .orElse("gone");
    }

    private Set<String> states() {
        Set<String> states = new HashSet<>();
        shown().forEach(it -> states.add(it.state().toString()));
        return states;
    }

    private long counted() {
        return shown().stream().filter(it -> it.state().counts()).count();
    }

    private Map<String, Integer> perZone() {
        Map<String, Integer> perZone = new TreeMap<>();
        shown().stream()
                .filter(it -> it.state().counts())
                .forEach(it -> perZone.merge(it.instance().zone(), 1, Integer::sum));
        return perZone;
    }

    private final class Told implements Groups.Listener {
        @Override
        public void held(Instance instance, Hook hook, String token) {
            told.add("held by " + hook.name() + " " + instance.id());
        }

        @Override
        public void changed(Instance instance, String state) {
            told.add(state + " " + instance.id());
        }

        @Override
        public void target(Instance instance, List<String> targetGroups, boolean registered) {
            told.add((registered ? "registered " : "deregistered ") + instance.id());
        }

        @Override
        public void refreshed(String region, String group, String refresh, String what) {
            told.add("refresh " + what);
        }
    }

    /** Machines that are only a name. */
    private static final class Running implements Machines {
        private final Set<String> running = new HashSet<>();

        @Override
        public void launch(Instance instance) {
            running.add(instance.id());
        }

        @Override
        public void end(String instanceId) {
            running.remove(instanceId);
        }

        @Override
        public boolean runs(String instanceId) {
            return running.contains(instanceId);
        }

        @Override
        public List<String> instances(String region, String tagKey, String tagValue) {
            return List.of();
        }

        @Override
        public CommandResult run(String instanceId, List<String> commands, Duration limit) {
            throw new IllegalArgumentException(instanceId + " runs nothing here");
        }

        @Override
        public void capacity(String region, String group, int desired) {
            throw new IllegalArgumentException("no group was brought");
        }

        @Override
        public List<String> groupInstances(String region, String group) {
            return List.of();
        }
    }

    private static final class MovedClock extends Clock {
        private Instant now = Instant.parse("2026-01-01T00:00:00Z");

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
