package io.vaultdr.infra;

import com.fasterxml.jackson.databind.JsonNode;

/** The state machine's definition, put together as CloudFormation would. */
public final class Machine {
    private Machine() {}

    /** The definition as a tree, references as {@code <logical id>}. */
    public static JsonNode definition(JsonNode definitionString) {
        if (definitionString.isTextual()) {
            return Synthesised.json(definitionString.asText());
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : definitionString.get("Fn::Join").get(1)) {
            text.append(part.isTextual() ? part.asText() : "<" + part.get("Ref").asText() + ">");
        }
        return Synthesised.json(text.toString());
    }
}
