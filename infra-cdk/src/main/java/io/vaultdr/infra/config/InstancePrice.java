package io.vaultdr.infra.config;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an instance costs an hour: on demand, Linux, us-east-1, list prices of 19 January 2026.
 * Within a family twice the size is twice the price.
 *
 * @see <a href="https://aws.amazon.com/ec2/pricing/on-demand/">On-demand pricing</a>
 */
final class InstancePrice {
    /** Family → the price of its {@code large}. */
    private static final Map<String, Double> LARGE =
            Map.of(
                    "t4g", 0.0672,
                    "m6g", 0.0770,
                    "m7g", 0.0816,
                    "m8g", 0.08976,
                    "c6g", 0.0680,
                    "c7g", 0.0725,
                    "c8g", 0.07976,
                    "r6g", 0.1008,
                    "r7g", 0.1071,
                    "r8g", 0.11782);

    private static final Map<String, Double> SIZES =
            Map.of("micro", 0.125, "small", 0.25, "medium", 0.5, "large", 1.0, "xlarge", 2.0);

    private static final Pattern TYPE = Pattern.compile("([a-z0-9]+)\\.(?:(\\d+)x|)([a-z]+)");

    private InstancePrice() {}

    /** In USD; none for a type that isn't known here. */
    static OptionalDouble ofHour(String instanceType) {
        Matcher type = TYPE.matcher(instanceType);
        if (!type.matches()) {
            return OptionalDouble.empty();
        }
        Optional<Double> large = Optional.ofNullable(LARGE.get(type.group(1)));
        Optional<Double> size = Optional.ofNullable(SIZES.get(type.group(3)));
        double times = type.group(2) == null ? 1 : Double.parseDouble(type.group(2));
        return large.isEmpty() || size.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(large.get() * size.get() * times);
    }
}
