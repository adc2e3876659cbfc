package io.vaultdr.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.vaultdr.runtime.Json;

import org.junit.jupiter.api.Test;

class AnswerTest {
    @Test
    void nestsWhatIsNestedAndAlignsValues() throws Exception {
        assertEquals(
                """
                pair     payments
                serving  home
                predicted loss
                  seconds  40
                  entries  7
                gates
                  - PAUSED
                  - OBSERVE_ONLY
                incidents
                  - epoch    3
                    outcome  COMPLETED
                """,
                Answer.text(
                        Json.MAPPER.readTree(
                                """
                                {"pair": "payments", "serving": "home",
                                 "predictedLoss": {"seconds": 40, "entries": 7},
                                 "gates": ["PAUSED", "OBSERVE_ONLY"], "nothing": [],
                                 "incidents": [{"epoch": 3, "outcome": "COMPLETED"}]}
                                """)));
    }

    @Test
    void leavesNamesThatAreNoWordsOfOurs() throws Exception {
        assertEquals(
                "eu-central-1  no\n",
                Answer.text(Json.MAPPER.readTree("{\"eu-central-1\": \"no\"}")));
    }
}
