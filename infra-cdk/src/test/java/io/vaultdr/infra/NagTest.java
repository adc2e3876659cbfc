package io.vaultdr.infra;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import software.amazon.awscdk.Stack;
import software.amazon.awscdk.assertions.Annotations;
import software.amazon.awscdk.assertions.Match;

/** AWS Solutions' rules, over every stack of every example. */
class NagTest {
    @ParameterizedTest
    @MethodSource("io.vaultdr.infra.Examples#names")
    void findsNothingThatIsNotExplainedAtItsResource(String example) {
        for (Stack stack : Synthesised.example(example).stacks()) {
            Annotations annotations = Annotations.fromStack(stack);
            annotations.hasNoError("*", Match.anyValue());
            annotations.hasNoWarning("*", Match.anyValue());
        }
    }
}
