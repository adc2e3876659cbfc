package io.vaultdr.rehearsal;

import io.vaultdr.rehearsal.Console.Tone;
import io.vaultdr.rehearsal.world.WorldEvent;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Keeps what happens in the world, and says what a person wants to see of it at once. */
final class Chronicle {
    private final Console console;
    private final ConcurrentLinkedQueue<WorldEvent> events = new ConcurrentLinkedQueue<>();

    Chronicle(Console console) {
        this.console = console;
    }

    /** Keeps an event; called from many threads. */
    void add(WorldEvent event) {
        events.add(event);
        switch (event) {
            case WorldEvent.AlarmChanged it when it.alarm().contains("-unreached-") ->
                    console.say(
                            it.to().equals("ALARM") ? Tone.BAD : Tone.GOOD,
                            "alarm " + it.alarm() + ": " + it.from() + " → " + it.to());
            case WorldEvent.ExecutionChanged it ->
                    console.say(Tone.ACT, "execution " + name(it.execution()) + ": " + it.status());
            case WorldEvent.StateChanged it when it.entered() ->
                    console.say(Tone.ACT, "  " + name(it.execution()) + " → " + it.state());
            case WorldEvent.CommandRun it ->
                    console.say(
                            it.exitCode() == 0 ? Tone.ACT : Tone.BAD,
                            "  " + it.document() + " on " + it.instance() + ": " + it.exitCode());
            case WorldEvent.CapacityChanged it ->
                    console.say(Tone.ACT, "  group " + it.group() + " wants " + it.desired());
            case WorldEvent.InstanceChanged it ->
                    console.say(
                            Tone.SOFT,
                            "  " + it.instance() + " in " + it.zone() + ": " + it.state());
            case WorldEvent.TargetChanged it ->
                    console.say(
                            it.healthy() ? Tone.SOFT : Tone.BAD,
                            "  balancer "
                                    + it.loadBalancer()
                                    + (it.healthy() ? " takes " : " leaves out ")
                                    + it.target());
            case WorldEvent.RefreshChanged it ->
                    console.say(Tone.ACT, "instance refresh of " + it.group() + ": " + it.what());
            // An alarm that has its first data says OK, which nobody has to be shown.
            case WorldEvent.Paged it when !it.subject().startsWith("OK: ") ->
                    console.say(Tone.ACT, "page: " + it.subject());
            case WorldEvent.CallDenied it ->
                    console.say(
                            Tone.BAD,
                            it.function() + " may not " + it.action() + " on " + it.resource());
            case WorldEvent.FaultHit it ->
                    console.say(Tone.BAD, "  " + it.fault() + " met " + it.function());
            case WorldEvent.FunctionEnded it when it.error().isPresent() ->
                    console.say(
                            Tone.BAD,
                            it.function() + " in " + it.region() + " failed: " + it.error().get());
            case WorldEvent.FunctionLog it when it.level().equals("ERROR") ->
                    console.say(Tone.BAD, it.function() + ": " + shortened(it.line()));
            default -> {}
        }
    }

    private static String name(String arn) {
        return arn.substring(arn.lastIndexOf(':') + 1);
    }

    private static String shortened(String line) {
        return line.length() > 400 ? line.substring(0, 400) + " …" : line;
    }

    /** All pages so far. */
    List<Story.Page> pages() {
        return of(WorldEvent.Paged.class).stream()
                .map(it -> new Story.Page(it.at(), it.subject(), it.message()))
                .toList();
    }

    /** How many executions worked for an incident of {@code pair}, dry runs not counted. */
    int executions(String pair) {
        Set<String> names = new TreeSet<>();
        for (var changed : of(WorldEvent.ExecutionChanged.class)) {
            String name = name(changed.execution());
            if (name.matches(pair + "-\\d+")) {
                names.add(name);
            }
        }
        return names.size();
    }

    /** The times in which each vantage's alarm was on. */
    List<Story.Span> alarms(Instant end) {
        Map<String, Instant> on = new LinkedHashMap<>();
        List<Story.Span> spans = new ArrayList<>();
        for (var changed : of(WorldEvent.AlarmChanged.class)) {
            if (!changed.alarm().contains("-unreached-")) {
                continue;
            }
            String lane = "alarm " + changed.alarm().replaceFirst(".*-unreached-", "");
            if (changed.to().equals("ALARM")) {
                on.put(lane, changed.at());
            } else if (on.containsKey(lane)) {
                spans.add(new Story.Span(lane, "ALARM", on.remove(lane), changed.at(), "alarm"));
            }
        }
        on.forEach((lane, at) -> spans.add(new Story.Span(lane, "ALARM", at, end, "alarm")));
        return spans;
    }

    /** How the instances of a group came and went. */
    List<Story.Span> instances(String group, Instant start, Instant end) {
        Map<String, List<WorldEvent.InstanceChanged>> perInstance = new LinkedHashMap<>();
        for (var changed : of(WorldEvent.InstanceChanged.class)) {
            if (changed.group().equals(group)) {
                perInstance
                        .computeIfAbsent(changed.instance(), id -> new ArrayList<>())
                        .add(changed);
            }
        }
        List<Story.Span> spans = new ArrayList<>();
        perInstance.forEach(
                (id, changes) -> {
                    for (int i = 0; i < changes.size(); i++) {
                        Instant to = i + 1 < changes.size() ? changes.get(i + 1).at() : end;
                        Instant from = changes.get(i).at();
                        String state = changes.get(i).state();
                        if (!state.equals("Terminated") && to.isAfter(start)) {
                            spans.add(
                                    new Story.Span(
                                            id.substring(0, 8) + " " + changes.get(i).zone(),
                                            state,
                                            from.isBefore(start) ? start : from,
                                            to,
                                            kind(state)));
                        }
                    }
                });
        return spans;
    }

    private static String kind(String state) {
        return switch (state) {
            case "InService" -> "home";
            case "Pending:Wait" -> "modelled";
            default -> "alarm";
        };
    }

    private <T extends WorldEvent> List<T> of(Class<T> kind) {
        return events.stream().filter(kind::isInstance).map(kind::cast).toList();
    }
}
