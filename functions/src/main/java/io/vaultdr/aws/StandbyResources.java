package io.vaultdr.aws;

import io.vaultdr.failover.StandbySide;
import io.vaultdr.promotion.Capacity;

import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.secretsmanager.model.ResourceNotFoundException;

/** The DR side's group and secrets. */
public final class StandbyResources implements StandbySide {
    private final Capacity capacity;
    private final SecretsManagerClient secrets;
    private final String login;

    /**
     * What stands ready beside the nodes.
     *
     * @param login the prefix of the logins' secrets
     */
    public StandbyResources(Capacity capacity, SecretsManagerClient secrets, String login) {
        this.capacity = capacity;
        this.secrets = secrets;
        this.login = login;
    }

    @Override
    public Group group() {
        Capacity.Size size = capacity.size();
        return new Group(size.desired(), size.max());
    }

    @Override
    public boolean hasLogin(String intent) {
        String name = login + "/" + intent;
        return AwsCalls.read(
                "look for secret " + name,
                () -> {
                    try {
                        return secrets.describeSecret(request -> request.secretId(name))
                                        .deletedDate()
                                == null;
                    } catch (ResourceNotFoundException e) {
                        return false;
                    }
                });
    }
}
