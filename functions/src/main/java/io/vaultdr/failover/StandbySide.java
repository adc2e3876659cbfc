package io.vaultdr.failover;

/** What stands ready in the DR region beside the servers. */
public interface StandbySide {
    /** How many instances the DR side's group wants and may have. */
    Group group();

    /** Whether the login of {@code intent} is there; its value isn't read. */
    boolean hasLogin(String intent);

    /** An Auto Scaling group's size. */
    record Group(int desired, int max) {}
}
