package io.vaultdr.cli;

/** Exit codes, the same for all commands; scripts may rely on them. */
final class Exit {
    /** It went as expected; what was checked is good. */
    static final int EXPECTED = 0;

    /** It was carried out and the answer is no: a bad archive, a refusal, another end. */
    static final int NEGATIVE = 1;

    /** The call can't be used: arguments, a file, a tool. Nothing was done. */
    static final int UNUSABLE = 2;

    /** AWS or a server didn't do it, or didn't say whether it did. */
    static final int FAILED = 3;

    private Exit() {}
}
