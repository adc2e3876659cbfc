package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.Cost;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

class CostTest {
    private static final Pattern COUNT = Pattern.compile("^([0-9]+) ");

    @ParameterizedTest
    @MethodSource("io.vaultdr.infra.Examples#names")
    void countsTheAlarmsThatTheTemplatesHave(String example) {
        counts(Synthesised.example(example), Examples.load(example));
    }

    @Test
    void countsThoseOfBothAccounts() {
        counts(Synthesised.apart(), Examples.apart());
    }

    private static void counts(Synthesised all, Config config) {
        int alarms =
                all.templates().keySet().stream()
                        .mapToInt(stack -> all.resources(stack, "AWS::CloudWatch::Alarm").size())
                        .sum();
        int counted = 0;
        for (Cost.Item item : Cost.of(config).items()) {
            if (item.what().contains("alarms")) {
                Matcher count = COUNT.matcher(item.arithmetic());
                assertTrue(count.find(), item.arithmetic());
                counted += Integer.parseInt(count.group(1));
            }
        }
        assertEquals(alarms, counted);
    }

    @ParameterizedTest
    @CsvSource({"backup, 35, 60", "automatic, 150, 230"})
    void isOfTheSizeThatTheDocumentsName(String example, double low, double high) {
        double total = Cost.of(Examples.load(example)).total();
        assertTrue(total > low && total < high, example + " " + Cost.of(Examples.load(example)));
    }
}
