package io.vaultdr.infra.config;

/**
 * Something in a configuration file that isn't right.
 *
 * @param line the line it stands on, from 1
 * @param path the keys that lead to it, such as {@code pairs.payments.home.region}
 * @param read what stands there
 * @param expected what should stand there
 */
public record Mistake(int line, String path, String read, String expected) {
    @Override
    public String toString() {
        return "line " + line + ": " + path + ": read " + read + ", expected " + expected;
    }
}
