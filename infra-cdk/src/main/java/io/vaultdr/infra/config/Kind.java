package io.vaultdr.infra.config;

import io.vaultdr.infra.config.Config.Destination;
import io.vaultdr.model.PairId;

import java.net.URI;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A kind of value in a configuration file.
 *
 * @param expected what a person has to write, as part of a sentence
 * @param parse the value, empty where the text isn't one
 * @param placeholder stands for a value that is missing or wrong, so that reading goes on and finds
 *     the other mistakes too; never gets out, because mistakes do
 */
record Kind<T>(String expected, Function<String, Optional<T>> parse, T placeholder) {
    private static final Pattern DURATION = Pattern.compile("([1-9][0-9]{0,5}) ?(s|m|h|d)");

    private static final Pattern SIZE = Pattern.compile("([1-9][0-9]{0,5}) ?(MiB|GiB)");
    private static final String SECRET_FORM = "[A-Za-z0-9/_+=.@-]{1,400}";

    static final Kind<String> TEXT = matching("a text", ".+", "text");
    static final Kind<String> REGION =
            matching(
                    "an AWS region such as eu-west-1", "[a-z]{2}(-[a-z]+){1,2}-[1-9]", "eu-west-1");
    static final Kind<String> ACCOUNT =
            matching("an account id of 12 digits, in quotes", "[0-9]{12}", "111122223333");
    static final Kind<String> PREFIX =
            matching(
                    "1 to 8 of a-z, 0-9 and inner hyphens, starting with a letter",
                    "[a-z]([a-z0-9-]{0,6}[a-z0-9])?",
                    "vault-dr");
    static final Kind<String> VPC =
            matching("a VPC id such as vpc-0a1b", "vpc-[0-9a-f]{4,17}", "vpc-0a1b");
    static final Kind<String> SUBNET =
            matching("a subnet id such as subnet-0a1b", "subnet-[0-9a-f]{4,17}", "subnet-0a1b");
    static final Kind<String> ZONE =
            matching("a hosted zone id such as Z0123456789ABC", "[0-9A-Z]{4,32}", "Z0123456789");
    static final Kind<String> HOST =
            matching(
                    "a host name without scheme, port and trailing dot",
                    "(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
                            + "(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+",
                    "vault.example.com");
    static final Kind<String> SECRET =
            matching(
                    "the prefix of secret names: letters, digits and /_+=.@-",
                    SECRET_FORM,
                    "login");
    static final Kind<String> SECRET_NAME =
            matching("a secret's name: letters, digits and /_+=.@-", SECRET_FORM, "secret");
    static final Kind<String> KMS_KEY =
            matching(
                    "the ARN of a KMS key",
                    "arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+",
                    "arn:aws:kms:eu-west-1:111122223333:key/0");
    static final Kind<String> BUCKET =
            matching("a bucket's name", "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "bucket");
    static final Kind<String> OBJECT_KEY =
            matching("an object's key", "[A-Za-z0-9!_.'()/-]{1,1024}", "key");
    static final Kind<String> SHA256 =
            matching("64 lower-case hex digits, of sha256sum", "[0-9a-f]{64}", "0".repeat(64));
    static final Kind<String> KV_PATH =
            matching(
                    "a KV path, its mount first, with /* at its end for all below",
                    "[\\w.-]+(/[\\w. -]+)*(/\\*)?",
                    "secret/*");
    static final Kind<String> COLD_CLASS =
            matching(
                    "GLACIER_IR or GLACIER or DEEP_ARCHIVE",
                    "GLACIER_IR|GLACIER|DEEP_ARCHIVE",
                    "GLACIER_IR");
    static final Kind<String> POLICY =
            matching(
                    "the ARN of a managed policy",
                    "arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\\w+=,.@/-]+",
                    "arn:aws:iam::aws:policy/none");
    static final Kind<String> UNIT =
            matching("a systemd unit such as openbao", "[A-Za-z0-9:_.@-]{1,128}", "openbao");
    static final Kind<String> DIRECTORY =
            matching(
                    "an absolute path of at least two names, since a wipe empties it",
                    "(/[A-Za-z0-9._-]+){2,}",
                    "/opt/openbao/data");
    static final Kind<String> PAGE =
            matching(
                    "a mail address or an https URL",
                    "[^@\\s:/]+@[^@\\s]+\\.[^@\\s]+|https://\\S+",
                    "oncall@example.com");
    static final Kind<PairId> PAIR =
            new Kind<>(
                    "a pair's name: 1 to 16 of a-z, 0-9 and inner hyphens, starting with a letter",
                    text ->
                            PairId.FORM.matcher(text).matches()
                                    ? Optional.of(new PairId(text))
                                    : Optional.empty(),
                    new PairId("pair"));
    static final Kind<URI> ADDRESS =
            new Kind<>(
                    "https://host:port without a path (plain http would send tokens readable)",
                    Kind::address,
                    URI.create("https://vault.example.com:8200"));

    static final Kind<String> AVAILABILITY_ZONE =
            matching(
                    "an availability zone such as eu-west-1a",
                    "[a-z]{2}(-[a-z]+){1,2}-[1-9][a-z]",
                    "eu-west-1a");
    static final Kind<String> ROUTE_TABLE =
            matching("a route table's id such as rtb-0a1b", "rtb-[0-9a-f]{4,17}", "rtb-0a1b");
    static final Kind<String> INSTANCE_TYPE =
            matching(
                    "an instance type with an arm64 processor, such as m7g.large: that is what the"
                            + " servers' binaries are for",
                    "[a-z]+[0-9]+g[a-z]*\\.[a-z0-9]+",
                    "m7g.large");
    static final Kind<String> ROLE =
            matching(
                    "the ARN of a role",
                    "arn:aws[a-z-]*:iam::[0-9]{12}:role/[\\w+=,.@/-]+",
                    "arn:aws:iam::111122223333:role/none");
    static final Kind<String> AUTH_MOUNT =
            matching("an auth method's path, such as aws", "[\\w-]+(/[\\w-]+)*", "aws");
    static final Kind<Boolean> YES_OR_NO =
            new Kind<>(
                    "true or false",
                    text ->
                            text.matches("true|false")
                                    ? Optional.of(Boolean.valueOf(text))
                                    : Optional.empty(),
                    false);
    static final Kind<Version> VERSION =
            new Kind<>(
                    "a version such as 2.7.2, in quotes",
                    Version::parse,
                    new Version(0, 0, 0, "0.0.0"));
    static final Kind<Cidr> CIDR =
            new Kind<>(
                    "an address range such as 10.0.10.0/26, no bit set after its mask",
                    Cidr::parse,
                    new Cidr(0, 32));
    static final Kind<Destination> DESTINATION =
            new Kind<>(
                    "an address range and a TCP port, such as 10.20.0.0/16:5432",
                    Kind::destination,
                    new Destination(new Cidr(0, 32), 443));

    /** A whole number from {@code low} to {@code high}. */
    static Kind<Integer> number(int low, int high) {
        return new Kind<>(
                "a whole number from " + low + " to " + high,
                text ->
                        text.matches("[0-9]{1,9}")
                                ? Optional.of(Integer.parseInt(text))
                                        .filter(number -> number >= low && number <= high)
                                : Optional.empty(),
                low);
    }

    /** A duration from {@code low} to {@code high}. */
    static Kind<Duration> duration(Duration low, Duration high) {
        return new Kind<>(
                "a duration from " + written(low) + " to " + written(high) + ", such as 90s or 2h",
                text ->
                        duration(text)
                                .filter(it -> it.compareTo(low) >= 0 && it.compareTo(high) <= 0),
                low);
    }

    /** A number of bytes from {@code low} to {@code high}. */
    static Kind<Long> size(long low, long high) {
        return new Kind<>(
                "a size from " + written(low) + " to " + written(high) + ", such as 1GiB",
                text -> {
                    Matcher matcher = SIZE.matcher(text);
                    return matcher.matches()
                            ? Optional.of(
                                            Long.parseLong(matcher.group(1))
                                                    << (matcher.group(2).equals("GiB") ? 30 : 20))
                                    .filter(size -> size >= low && size <= high)
                            : Optional.empty();
                },
                low);
    }

    /** A number of bytes as it is written in a configuration file. */
    static String written(long bytes) {
        return bytes % (1L << 30) == 0 ? (bytes >> 30) + "GiB" : (bytes >> 20) + "MiB";
    }

    /** One of the names of an enum, in lower case, with hyphens. */
    static <E extends Enum<E>> Kind<E> oneOf(Class<E> type) {
        List<E> all = Arrays.asList(type.getEnumConstants());
        return new Kind<>(
                all.stream().map(Kind::written).collect(Collectors.joining(" or ")),
                text -> all.stream().filter(one -> written(one).equals(text)).findFirst(),
                all.getFirst());
    }

    /** A duration as it is written in a configuration file. */
    static String written(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds != 0 && seconds % 86_400 == 0) {
            return seconds / 86_400 + "d";
        }
        if (seconds != 0 && seconds % 3_600 == 0) {
            return seconds / 3_600 + "h";
        }
        return seconds != 0 && seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
    }

    private static String written(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static Kind<String> matching(String expected, String pattern, String placeholder) {
        Pattern form = Pattern.compile(pattern);
        return new Kind<>(
                expected,
                text -> form.matcher(text).matches() ? Optional.of(text) : Optional.empty(),
                placeholder);
    }

    private static Optional<Duration> duration(String text) {
        if (text.equals("0s")) {
            return Optional.of(Duration.ZERO);
        }
        Matcher matcher = DURATION.matcher(text);
        if (matcher.matches()) {
            long count = Long.parseLong(matcher.group(1));
            return Optional.of(
                    switch (matcher.group(2)) {
                        case "s" -> Duration.ofSeconds(count);
                        case "m" -> Duration.ofMinutes(count);
                        case "h" -> Duration.ofHours(count);
                        default -> Duration.ofDays(count);
                    });
        }
        try {
            return Optional.of(Duration.parse(text));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    private static Optional<Destination> destination(String text) {
        int colon = text.lastIndexOf(':');
        return colon < 0 || !text.substring(colon + 1).matches("[1-9][0-9]{0,4}")
                ? Optional.empty()
                : Cidr.parse(text.substring(0, colon))
                        .map(
                                range ->
                                        new Destination(
                                                range, Integer.parseInt(text.substring(colon + 1))))
                        .filter(it -> it.port() < 65_536);
    }

    private static Optional<URI> address(String text) {
        try {
            URI uri = URI.create(text);
            boolean good =
                    "https".equals(uri.getScheme())
                            && uri.getHost() != null
                            && uri.getPort() > 0
                            && uri.getPort() < 65_536
                            && (uri.getPath() == null || uri.getPath().isEmpty())
                            && uri.getUserInfo() == null
                            && uri.getQuery() == null
                            && uri.getFragment() == null;
            return good ? Optional.of(uri) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
