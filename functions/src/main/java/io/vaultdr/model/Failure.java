package io.vaultdr.model;

import org.jspecify.annotations.Nullable;

/**
 * Something that was tried and did not come about. The kind tells the caller what it may do; the
 * message says what was tried, what was seen and what to do next, and never holds a secret or a
 * server's body.
 */
public abstract sealed class Failure extends RuntimeException {
    private final String seen;
    private final String next;

    private Failure(String tried, String seen, String next, @Nullable Throwable cause) {
        super(tried + ": " + seen + ". " + next, cause);
        this.seen = tried + ": " + seen;
        this.next = next;
    }

    /** What was tried and what was seen. */
    public String seen() {
        return seen;
    }

    /** What to do next. */
    public String next() {
        return next;
    }

    /** The same kind of failure, which also tells what was found out about it since. */
    public Failure with(String found) {
        return switch (this) {
            case Retryable _ -> new Retryable(seen, found, next, this);
            case Terminal _ -> new Terminal(seen, found, next, this);
            case OutcomeUnknown _ -> new OutcomeUnknown(seen, found, next, this);
        };
    }

    /** Nothing happened; the same call may be made again. */
    public static final class Retryable extends Failure {
        public Retryable(String tried, String seen, String next, @Nullable Throwable cause) {
            super(tried, seen, next, cause);
        }

        public Retryable(String tried, String seen, String next) {
            this(tried, seen, next, null);
        }
    }

    /** Trying again can't help: a person or a configuration has to change something. */
    public static final class Terminal extends Failure {
        public Terminal(String tried, String seen, String next, @Nullable Throwable cause) {
            super(tried, seen, next, cause);
        }

        public Terminal(String tried, String seen, String next) {
            this(tried, seen, next, null);
        }
    }

    /** Sent, and no answer: it may have happened. Read the state again, never resend blindly. */
    public static final class OutcomeUnknown extends Failure {
        public OutcomeUnknown(String tried, String seen, String next, @Nullable Throwable cause) {
            super(tried, seen, next, cause);
        }

        public OutcomeUnknown(String tried, String seen, String next) {
            this(tried, seen, next, null);
        }
    }
}
