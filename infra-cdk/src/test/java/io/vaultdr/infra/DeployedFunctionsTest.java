package io.vaultdr.infra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vaultdr.infra.config.Config;
import io.vaultdr.infra.config.DeployedFunction;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** What the doctor asks is what the stacks deploy, on every rung and with a copy's account. */
class DeployedFunctionsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "backup",
                "proven",
                "observe",
                "automatic",
                "apart",
                "cluster",
                "pilot-light"
            })
    void areThoseOfTheTemplates(String example) {
        boolean apart = example.equals("apart");
        Config config = apart ? Examples.apart() : Examples.load(example);
        Synthesised all = apart ? Synthesised.apart() : Synthesised.example(example);
        Set<String> deployed = new TreeSet<>();
        for (Synthesised.Assembled stack : all.stacks()) {
            all.resources(stack.name(), "AWS::Lambda::Function")
                    .values()
                    .forEach(
                            it -> {
                                String name = it.at("/Properties/FunctionName").asText();
                                if (it.at("/Properties/Handler")
                                        .asText()
                                        .startsWith("io.vaultdr.")) {
                                    deployed.add(stack.region() + " " + name);
                                }
                            });
        }

        assertEquals(
                deployed,
                config.pairs().stream()
                        .flatMap(pair -> DeployedFunction.of(config, pair).stream())
                        .map(it -> it.region() + " " + it.name())
                        .collect(Collectors.toCollection(TreeSet::new)));
    }
}
