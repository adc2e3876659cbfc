package io.vaultdr.model;

import java.util.function.Supplier;

/**
 * One thing that a function looked at from where it stands, in its network and with its role. Holds
 * no secret: it is shown to people, and travels in answers and messages.
 *
 * @param name what was looked at; one of the constants here where one fits
 * @param target whose: an address, a bucket, a table
 * @param saw what was seen, or why nothing was
 * @param fix what to do about it; empty where nothing is to be done
 */
public record Check(String name, String target, Result result, String saw, String fix) {
    public static final String NAME = "name resolution";
    public static final String TCP = "TCP";
    public static final String TLS = "TLS";
    public static final String HEALTH = "health";
    public static final String LEADER = "leader";
    public static final String LOGIN = "login";
    public static final String POLICY = "policy";
    public static final String KEY = "key";
    public static final String BUCKET = "bucket";
    public static final String FLAG = "flag";
    public static final String WEIGHTS = "weights";
    public static final String LEDGER = "ledger";
    public static final String PAGES = "pages";
    public static final String GROUP = "group";
    public static final String DOCUMENT = "document";

    /** All of the function's way but its last call. */
    public static final String DRY_RUN = "dry run";

    /** What a look came to. */
    public enum Result {
        OK,
        FAILED,
        /** Nothing is known: what it rests on failed, or looking would change something. */
        NOT_LOOKED_AT
    }

    /** It is as it should be. */
    public static Check ok(String name, String target, String saw) {
        return new Check(name, target, Result.OK, saw, "");
    }

    /** It isn't. */
    public static Check failed(String name, String target, String saw, String fix) {
        return new Check(name, target, Result.FAILED, saw, fix);
    }

    /** The same as the failure tells it. */
    public static Check failed(String name, String target, Failure why) {
        return failed(name, target, why.seen(), why.next());
    }

    /** Nobody looked. */
    public static Check notLookedAt(String name, String target, String why) {
        return new Check(name, target, Result.NOT_LOOKED_AT, why, "");
    }

    /**
     * Looks: what {@code look} says is well, what it throws is not.
     *
     * @param look says what was seen
     */
    public static Check of(String name, String target, Supplier<String> look) {
        try {
            return ok(name, target, look.get());
        } catch (Failure e) {
            return failed(name, target, e);
        }
    }

    /** The same, where it needn't be there: what failed says nothing then. */
    public Check lenient(String why) {
        return result == Result.FAILED ? notLookedAt(name, target, why + ": " + saw) : this;
    }

    /** On one line, as exceptions carry it. */
    public String line() {
        return name + " " + target + ": " + saw + (fix.isEmpty() ? "" : " (" + fix + ")");
    }
}
