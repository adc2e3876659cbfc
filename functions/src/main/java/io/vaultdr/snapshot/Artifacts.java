package io.vaultdr.snapshot;

import io.vaultdr.runtime.ProofSettings;

import java.nio.file.Path;

/** Programs in a bucket, that are run only if they are what was configured. */
public interface Artifacts {
    /**
     * Brings a program into scratch space unless it is there, and looks at its hash either way.
     *
     * @throws io.vaultdr.model.Failure where the bucket doesn't answer or scratch space is full
     */
    Fetched fetch(ProofSettings.Artifact artifact);

    /** What came of it. */
    sealed interface Fetched {
        /** It lies there, may be run and has the right hash. */
        record At(Path program) implements Fetched {}

        /** The bucket doesn't have it. */
        record Missing() implements Fetched {}

        /** It is another program, and was thrown away. */
        record Differs(String sha256) implements Fetched {}
    }
}
