package io.vaultdr.snapshot;

/** Carries what is wrong from where it is found to {@link Archive#check}, and no further. */
final class BadArchiveException extends Exception {
    private final Archive.Reason reason;
    private final String detail;

    BadArchiveException(Archive.Reason reason, String detail) {
        super(detail, null, false, false);
        this.reason = reason;
        this.detail = detail;
    }

    Archive.Reason reason() {
        return reason;
    }

    String detail() {
        return detail;
    }
}
