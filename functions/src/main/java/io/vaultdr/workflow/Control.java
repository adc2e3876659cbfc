package io.vaultdr.workflow;

import io.vaultdr.failover.Approvals;
import io.vaultdr.failover.Executions;
import io.vaultdr.failover.Gate;
import io.vaultdr.failover.Incident;
import io.vaultdr.failover.Incident.Approval;
import io.vaultdr.failover.Judgement;
import io.vaultdr.failover.Ledger;
import io.vaultdr.failover.PairState;
import io.vaultdr.failover.PairState.Pause;
import io.vaultdr.failover.PairState.Phase;
import io.vaultdr.failover.Situation;
import io.vaultdr.failover.Verdict;
import io.vaultdr.model.Epoch;
import io.vaultdr.model.Failure;
import io.vaultdr.model.Loss;
import io.vaultdr.model.Outcome;
import io.vaultdr.model.Side;
import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * What people do with a pair: look, pause, resume, approve, reject, fail over. Who asks is recorded
 * as claimed, with the request id by which CloudTrail proves it. What isn't possible as things
 * stand is an answer and no failure.
 */
public final class Control {
    private static final int HISTORY = 20;

    private final PairSettings pair;
    private final Ledger ledger;
    private final Supplier<Situation> gathering;
    private final Approvals approvals;
    private final Executions executions;
    private final Clock clock;

    /** Controls {@code pair}. */
    public Control(
            PairSettings pair,
            Ledger ledger,
            Supplier<Situation> gathering,
            Executions executions,
            Clock clock) {
        this.pair = pair;
        this.ledger = ledger;
        this.gathering = gathering;
        this.approvals = new Approvals(ledger, executions, clock);
        this.executions = executions;
        this.clock = clock;
    }

    /** What may be asked for. */
    public enum Action {
        STATUS,
        PAUSE,
        RESUME,
        APPROVE,
        REJECT,
        FAILOVER
    }

    /**
     * What a person asks for.
     *
     * @param mayOperate whether the function was called by the alias that may change something
     * @param requestId what CloudTrail knows this call by
     */
    public record Request(
            Action action,
            String by,
            String reason,
            Optional<Epoch> epoch,
            boolean mayOperate,
            String requestId) {}

    /** How a request went. */
    public enum Result {
        /** Done, or so already. */
        DONE,
        /** Not possible as things stand; the message says why. */
        REFUSED,
        /** The request itself can't be read; the message says what was read and is expected. */
        INVALID
    }

    /**
     * An answer to all but {@code status}.
     *
     * @param overridden the gates that a failover by a person set aside
     */
    public record Answer(
            Action action,
            String pair,
            Result result,
            String message,
            Optional<String> incident,
            List<String> overridden) {}

    /**
     * An answer to {@code status}.
     *
     * @param gates every gate that applies now, first decides
     * @param missing what the DR side lacks
     * @param history the newest transitions, newest first
     */
    public record Status(
            Action action,
            Result result,
            String pair,
            Stage stage,
            Side serving,
            Instant since,
            Epoch epoch,
            Epoch lineage,
            Phase phase,
            Optional<Pause> pause,
            String diagnosis,
            Map<String, String> evidence,
            List<String> gates,
            String verdict,
            String wouldHave,
            List<String> missing,
            Optional<Loss> predictedLoss,
            Optional<Instant> lastServed,
            Optional<Incident> incident,
            List<Ledger.HistoryLine> history) {}

    /** Does what {@code request} asks for. */
    public Record act(Request request) {
        if (request.action() == Action.STATUS) {
            return status();
        }
        if (!request.mayOperate()) {
            return invalid(
                    request.action(),
                    "called by another alias than 'operate', which may only status; call the"
                            + " function as <name>:operate");
        }
        List<String> missing = new ArrayList<>();
        if (request.by().isBlank()) {
            missing.add("by: expected your name");
        }
        boolean explains = request.action() == Action.PAUSE || request.action() == Action.FAILOVER;
        if (explains && request.reason().isBlank()) {
            missing.add("reason: expected why, for those who read it later");
        }
        if (!missing.isEmpty()) {
            return invalid(request.action(), String.join("; ", missing));
        }
        return switch (request.action()) {
            case STATUS -> status();
            case PAUSE -> pause(request);
            case RESUME -> resume(request);
            case APPROVE, REJECT -> answer(request);
            case FAILOVER -> failOver(request);
        };
    }

    /** An answer to a request that can't be read. */
    public Answer invalid(Action action, String mistake) {
        return new Answer(
                action, pair.pair().value(), Result.INVALID, mistake, Optional.empty(), List.of());
    }

    private Status status() {
        Situation situation = gathering.get();
        Judgement judgement = judge(situation);
        PairState state = situation.state();
        Map<String, String> evidence = new TreeMap<>();
        situation.evidence().forEach(e -> evidence.put(e.vantage(), e.line()));
        return new Status(
                Action.STATUS,
                Result.DONE,
                pair.pair().value(),
                pair.stage(),
                state.serving(),
                state.since(),
                state.epoch(),
                state.lineage(),
                state.phase(),
                state.pause(),
                judgement.diagnosis().rule().name(),
                evidence,
                names(judgement.gates()),
                judgement.verdict().line(),
                judgement.wouldHave().line(),
                situation.missing(),
                situation.predictedLoss(),
                situation.lastServed(),
                situation.newestIncident(),
                ledger.history(HISTORY));
    }

    private Answer pause(Request request) {
        Pause pause =
                new Pause(request.by(), request.reason(), clock.instant(), request.requestId());
        PairState state =
                ledger.change(s -> s.pause().isPresent() ? s : s.withPause(Optional.of(pause)));
        if (!state.pause().equals(Optional.of(pause))) {
            String by = state.pause().map(Pause::by).orElse("somebody");
            return answer(request, Result.DONE, "It was paused already, by " + by + ".");
        }
        note(request, state.epoch(), "paused");
        return answer(
                request,
                Result.DONE,
                "Paused. It is probed and diagnosed as before, and nothing is failed over."
                        + (state.phase() instanceof Phase.Changing
                                ? " The open incident is not stopped by this."
                                : ""));
    }

    private Answer resume(Request request) {
        boolean paused = ledger.state().pause().isPresent();
        PairState state = ledger.change(s -> s.withPause(Optional.empty()));
        if (paused) {
            note(request, state.epoch(), "resumed");
        }
        return answer(request, Result.DONE, paused ? "Resumed." : "It was not paused.");
    }

    private Answer answer(Request request) {
        Epoch newest = ledger.state().epoch();
        Epoch epoch = request.epoch().orElse(newest);
        if (!epoch.equals(newest)) {
            return answer(
                    request,
                    Result.REFUSED,
                    "Incident "
                            + pair.pair()
                            + "-"
                            + epoch
                            + " is not the newest, which is "
                            + pair.pair()
                            + "-"
                            + newest
                            + ".");
        }
        boolean approve = request.action() == Action.APPROVE;
        Approvals.Answer taken =
                approve
                        ? approvals.approve(epoch, request.by(), request.requestId())
                        : approvals.reject(epoch, request.by(), request.requestId());
        return switch (taken) {
            case Approvals.Answer.Taken(Incident incident) -> {
                note(request, epoch, approve ? "approved" : "rejected");
                yield new Answer(
                        request.action(),
                        pair.pair().value(),
                        Result.DONE,
                        approve
                                ? "Approved, up to a loss of "
                                        + incident.predictedLoss().time().toSeconds()
                                        + " s; the evidence is judged once more."
                                : "Rejected; nothing is failed over.",
                        Optional.of(incident.id()),
                        List.of());
            }
            case Approvals.Answer.NotWaiting(String seen) ->
                    answer(request, Result.REFUSED, "Nothing waits for an answer: " + seen + ".");
        };
    }

    private Answer failOver(Request request) {
        if (pair.stage().compareTo(Stage.APPROVAL) < 0) {
            return answer(
                    request,
                    Result.REFUSED,
                    "Stage " + pair.stage() + " acts on nothing; raise it to APPROVAL and deploy.");
        }
        Situation situation = gathering.get();
        PairState state = situation.state();
        if (!(state.phase() instanceof Phase.Settled)) {
            return answer(
                    request,
                    Result.REFUSED,
                    "An incident is open, or both sides may have written: "
                            + situation.newestIncident().map(Incident::id).orElse("see status")
                            + ". Approve, reject or wait.");
        }
        if (state.serving() != Side.HOME) {
            return answer(request, Result.REFUSED, "DR serves already.");
        }
        Judgement judgement = judge(situation);
        List<String> overridden = new ArrayList<>(names(judgement.gates()));
        if (!judgement.diagnosis().rule().mayFailOver()) {
            overridden.addFirst(judgement.diagnosis().rule().name());
        }
        Instant now = clock.instant();
        Loss loss = situation.predictedLoss().orElse(new Loss(Duration.ZERO, OptionalLong.empty()));
        Map<String, String> evidence = new TreeMap<>();
        situation.evidence().forEach(e -> evidence.put(e.vantage(), e.line()));
        Incident incident =
                new Incident(
                        pair.pair(),
                        state.epoch().next(),
                        now,
                        request.by(),
                        judgement.diagnosis().rule().name(),
                        evidence,
                        names(judgement.gates()),
                        overridden,
                        new Verdict.FailOver().line(),
                        judgement.wouldHave().line(),
                        loss,
                        situation.lastServed(),
                        new Approval.Approved(request.by(), now, request.requestId(), loss),
                        Map.of(),
                        Optional.empty(),
                        List.of("Requested by " + request.by() + ": " + request.reason()),
                        Outcome.OPEN,
                        Optional.empty(),
                        0);
        Optional<Incident> opened = ledger.open(state, incident);
        if (opened.isEmpty()) {
            return answer(
                    request, Result.REFUSED, "Something changed at the same moment; look again.");
        }
        note(request, incident.epoch(), "opened by a person");
        String message = start(incident);
        return new Answer(
                request.action(),
                pair.pair().value(),
                Result.DONE,
                message
                        + (overridden.isEmpty()
                                ? ""
                                : " It sets aside: " + String.join(", ", overridden) + "."),
                Optional.of(incident.id()),
                overridden);
    }

    /** Starts the execution; where that fails the next minute's evaluation does. */
    private String start(Incident incident) {
        try {
            String arn = executions.start(incident.epoch());
            ledger.update(incident.epoch(), seen -> seen.withExecution(arn));
            return "Failover " + incident.id() + " began.";
        } catch (Failure e) {
            return "Failover "
                    + incident.id()
                    + " is opened; the next evaluation starts it, within a minute ("
                    + e.getMessage()
                    + ").";
        }
    }

    private Judgement judge(Situation situation) {
        return Judgement.of(situation, pair.stage(), pair.failover().orElseThrow());
    }

    private static List<String> names(List<Gate> gates) {
        return gates.stream().map(Gate::name).toList();
    }

    private void note(Request request, Epoch epoch, String event) {
        ledger.note(
                clock.instant(),
                epoch,
                event,
                "by "
                        + request.by()
                        + " (request "
                        + request.requestId()
                        + ")"
                        + (request.reason().isBlank() ? "" : ": " + request.reason()));
    }

    private Answer answer(Request request, Result result, String message) {
        return new Answer(
                request.action(),
                pair.pair().value(),
                result,
                message,
                Optional.empty(),
                List.of());
    }
}
