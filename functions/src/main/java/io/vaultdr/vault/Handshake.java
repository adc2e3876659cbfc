package io.vaultdr.vault;

import org.jspecify.annotations.Nullable;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * A TLS handshake that is only looked at: nothing is sent over it but its end.
 *
 * @param shown the server's certificate; empty where the port speaks no TLS
 * @param refused why a client of ours would hang up; empty where it would go on
 */
record Handshake(Optional<Shown> shown, Optional<SSLException> refused) {
    private static final int DNS_NAME = 2;
    private static final int IP_ADDRESS = 7;

    /** What a certificate says of itself. */
    record Shown(List<String> names, String authority, Instant from, Instant until) {
        private static Shown of(X509Certificate certificate) {
            return new Shown(
                    alternatives(certificate),
                    certificate.getIssuerX500Principal().getName(),
                    certificate.getNotBefore().toInstant(),
                    certificate.getNotAfter().toInstant());
        }

        private static List<String> alternatives(X509Certificate certificate) {
            try {
                var names = certificate.getSubjectAlternativeNames();
                return names == null
                        ? List.of()
                        : names.stream()
                                .filter(
                                        it ->
                                                it.getFirst().equals(DNS_NAME)
                                                        || it.getFirst().equals(IP_ADDRESS))
                                .map(it -> String.valueOf(it.get(1)))
                                .toList();
            } catch (CertificateParsingException e) {
                return List.of();
            }
        }
    }

    /**
     * Shakes hands as our clients do: with the trust that they have, and the name that they want.
     *
     * @param host whose name the certificate has to hold where {@code trust} names none
     * @param limit for the connection, and for each of the server's answers
     * @throws IOException where no connection comes about, or the server hangs up or says nothing
     */
    static Handshake with(
            InetAddress address, String host, int port, ClusterTrust trust, Duration limit)
            throws IOException {
        Recording recording = new Recording(trust.manager());
        SSLContext context;
        try {
            context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {recording}, null);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this runtime has no TLS", e);
        }
        try (Socket plain = new Socket()) {
            int millis = Math.toIntExact(limit.toMillis());
            plain.connect(new InetSocketAddress(address, port), millis);
            plain.setSoTimeout(millis);
            try (SSLSocket socket =
                    (SSLSocket) context.getSocketFactory().createSocket(plain, host, port, true)) {
                socket.setSSLParameters(parameters(trust, host));
                socket.startHandshake();
                return new Handshake(recording.shown(), Optional.empty());
            } catch (SSLException e) {
                if (recording.shown().isEmpty() && e.getCause() instanceof EOFException hungUp) {
                    throw hungUp;
                }
                return new Handshake(recording.shown(), Optional.of(e));
            }
        }
    }

    private static SSLParameters parameters(ClusterTrust trust, String host) {
        SSLParameters parameters = trust.parameters();
        if (trust.serverName().isEmpty()) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            if (host.chars().anyMatch(Character::isLetter) && !host.contains(":")) {
                parameters.setServerNames(List.of(new SNIHostName(host)));
            }
        }
        return parameters;
    }

    /** Remembers what the server showed, and lets the clients' own trust decide. */
    private static final class Recording extends X509ExtendedTrustManager {
        private final X509ExtendedTrustManager trust;
        private @Nullable X509Certificate shown;

        Recording(X509ExtendedTrustManager trust) {
            this.trust = trust;
        }

        Optional<Shown> shown() {
            return Optional.ofNullable(shown).map(Shown::of);
        }

        @Override
        public void checkServerTrusted(
                X509Certificate[] chain, String type, @Nullable Socket socket)
                throws CertificateException {
            shown = chain[0];
            trust.checkServerTrusted(chain, type, socket);
        }

        @Override
        public void checkServerTrusted(
                X509Certificate[] chain, String type, @Nullable SSLEngine engine)
                throws CertificateException {
            shown = chain[0];
            trust.checkServerTrusted(chain, type, engine);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            shown = chain[0];
            trust.checkServerTrusted(chain, type);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            trust.checkClientTrusted(chain, type);
        }

        @Override
        public void checkClientTrusted(
                X509Certificate[] chain, String type, @Nullable SSLEngine engine)
                throws CertificateException {
            trust.checkClientTrusted(chain, type, engine);
        }

        @Override
        public void checkClientTrusted(
                X509Certificate[] chain, String type, @Nullable Socket socket)
                throws CertificateException {
            trust.checkClientTrusted(chain, type, socket);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return trust.getAcceptedIssuers();
        }
    }
}
