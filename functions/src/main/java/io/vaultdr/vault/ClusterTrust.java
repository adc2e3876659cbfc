package io.vaultdr.vault;

import io.vaultdr.model.Failure;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Which servers a cluster's client trusts.
 *
 * @param caPem certificates of the authorities, and of no others; empty: the runtime's own
 * @param serverName the DNS name that the certificate has to hold, whatever host the node's address
 *     names; empty: that host
 */
record ClusterTrust(Optional<String> caPem, Optional<String> serverName) {
    private static final int DNS_NAME = 2;

    /** The context for {@code java.net.http}. */
    SSLContext context() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {manager()}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this runtime has no TLS", e);
        }
    }

    /** What decides over a certificate. */
    X509ExtendedTrustManager manager() {
        try {
            X509ExtendedTrustManager authorities = authorities();
            return serverName.isPresent() ? new Named(authorities, serverName.get()) : authorities;
        } catch (CertificateException e) {
            throw new Failure.Terminal(
                    "read the cluster's CA",
                    "not a PEM certificate",
                    "Store the CA's certificate, BEGIN and END lines included, as the parameter"
                            + " under CA_PATH",
                    e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this runtime has no TLS", e);
        }
    }

    /** Parameters that name the server in the handshake (SNI); the host's name without a name. */
    SSLParameters parameters() {
        SSLParameters parameters = new SSLParameters();
        serverName.ifPresent(name -> parameters.setServerNames(List.of(indicated(name))));
        return parameters;
    }

    private static SNIHostName indicated(String name) {
        try {
            return new SNIHostName(name);
        } catch (IllegalArgumentException e) {
            throw new Failure.Terminal(
                    "read the cluster's server name",
                    "'" + name + "' is no DNS name",
                    "Set serverName to a DNS name that the servers' certificates hold",
                    e);
        }
    }

    private X509ExtendedTrustManager authorities() throws GeneralSecurityException, IOException {
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(caPem.isPresent() ? keyStore(caPem.get()) : null);
        return Arrays.stream(factory.getTrustManagers())
                .filter(X509ExtendedTrustManager.class::isInstance)
                .map(X509ExtendedTrustManager.class::cast)
                .findFirst()
                .orElseThrow();
    }

    private static KeyStore keyStore(String pem) throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        Collection<? extends Certificate> certificates =
                CertificateFactory.getInstance("X.509")
                        .generateCertificates(
                                new ByteArrayInputStream(pem.getBytes(StandardCharsets.UTF_8)));
        if (certificates.isEmpty()) {
            throw new CertificateException("no certificate");
        }
        int number = 0;
        for (Certificate certificate : certificates) {
            trusted.setCertificateEntry("ca" + number++, certificate);
        }
        return trusted;
    }

    /**
     * Trusts a chain to the authorities whose first certificate holds one given name. The JDK's own
     * check would look at the host of the address, and fall back to it after the indicated name.
     */
    private static final class Named extends X509ExtendedTrustManager {
        private final X509TrustManager authorities;
        private final String name;

        Named(X509TrustManager authorities, String name) {
            this.authorities = authorities;
            this.name = name.toLowerCase(Locale.ROOT);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            authorities.checkServerTrusted(chain, type);
            for (List<?> alternative : alternatives(chain[0])) {
                if (alternative.getFirst().equals(DNS_NAME)
                        && matches(((String) alternative.get(1)).toLowerCase(Locale.ROOT))) {
                    return;
                }
            }
            throw new CertificateException("the certificate doesn't hold the name " + name);
        }

        @Override
        public void checkServerTrusted(
                X509Certificate[] chain, String type, @Nullable SSLEngine engine)
                throws CertificateException {
            checkServerTrusted(chain, type);
        }

        @Override
        public void checkServerTrusted(
                X509Certificate[] chain, String type, @Nullable Socket socket)
                throws CertificateException {
            checkServerTrusted(chain, type);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type)
                throws CertificateException {
            throw new CertificateException("this side asks nobody for a certificate");
        }

        @Override
        public void checkClientTrusted(
                X509Certificate[] chain, String type, @Nullable SSLEngine engine)
                throws CertificateException {
            checkClientTrusted(chain, type);
        }

        @Override
        public void checkClientTrusted(
                X509Certificate[] chain, String type, @Nullable Socket socket)
                throws CertificateException {
            checkClientTrusted(chain, type);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return authorities.getAcceptedIssuers();
        }

        /** RFC 6125: a wildcard stands for exactly the left-most label. */
        private boolean matches(String pattern) {
            int dot = name.indexOf('.');
            return pattern.equals(name)
                    || (pattern.startsWith("*.")
                            && dot > 0
                            && pattern.indexOf('.', 2) > 0
                            && pattern.substring(1).equals(name.substring(dot)));
        }

        private static Collection<List<?>> alternatives(X509Certificate certificate)
                throws CertificateException {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            return names == null ? List.of() : names;
        }
    }
}
