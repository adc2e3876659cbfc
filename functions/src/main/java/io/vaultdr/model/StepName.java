package io.vaultdr.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The steps of a failover, named as their states in the state machine are. */
public enum StepName {
    @JsonProperty("Judge")
    JUDGE("Judge"),
    @JsonProperty("AskApproval")
    ASK_APPROVAL("AskApproval"),
    @JsonProperty("Fence")
    FENCE("Fence"),
    @JsonProperty("Promote")
    PROMOTE("Promote"),
    @JsonProperty("Verify")
    VERIFY("Verify"),
    @JsonProperty("RedirectTraffic")
    REDIRECT_TRAFFIC("RedirectTraffic"),
    @JsonProperty("Grow")
    GROW("Grow"),
    @JsonProperty("CloseIncident")
    CLOSE_INCIDENT("CloseIncident");

    private final String label;

    StepName(String label) {
        this.label = label;
    }

    @Override
    public String toString() {
        return label;
    }
}
