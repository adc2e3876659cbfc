package io.vaultdr.failover;

import io.vaultdr.runtime.PairSettings;
import io.vaultdr.runtime.PairSettings.Stage;

import java.util.List;

/**
 * A situation judged: no clock, no network, the same for the same situation.
 *
 * @param gates every gate that applies, the deciding one first
 * @param wouldHave the verdict if the stage were automatic
 */
public record Judgement(Diagnosis diagnosis, List<Gate> gates, Verdict verdict, Verdict wouldHave) {

    /** Judges {@code situation} under the pair's own stage. */
    public static Judgement of(Situation situation, Stage stage, PairSettings.Failover limits) {
        Diagnosis diagnosis = Diagnosis.of(situation.evidence(), situation.slot());
        List<Gate> gates = Gate.applying(situation, stage, limits);
        List<Gate> ifAutomatic = Gate.applying(situation, Stage.AUTOMATIC, limits);
        return new Judgement(
                diagnosis,
                gates,
                Verdict.of(diagnosis.rule(), gates),
                Verdict.of(diagnosis.rule(), ifAutomatic));
    }
}
