package io.vaultdr.model;

/** How an incident stands or ended. All but {@code OPEN} are final. */
public enum Outcome {
    /** Not over yet. */
    OPEN,
    /** The serving side changed. */
    COMPLETED,
    /** Home served again before anything was cut; nothing was changed. */
    RECOVERED,
    /** A person said no; nothing was changed. */
    REJECTED,
    /** A person was asked and nobody answered in time; nothing was changed. */
    TIMED_OUT,
    /** A step failed; the incident names it, what was done until then and how to go on. */
    FAILED
}
