package io.vaultdr.runtime;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

import io.vaultdr.model.PairId;
import io.vaultdr.model.Side;
import io.vaultdr.model.Slots;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * All that a function knows of its pair. The CDK app writes it as JSON into the environment
 * variable {@code PAIR} of each function of a pair, and into the SSM parameter {@code
 * <SETTINGS_PATH>/<pair>/settings} of each vantage; functions read it with {@link Json}. Names are
 * written out by the CDK app and never put together by a function.
 *
 * @param pair the pair's name
 * @param edition which server runs on both sides
 * @param stage the rung of the ladder that the pair stands on
 * @param account the AWS account that the function runs in, 12 digits
 * @param home the home cluster
 * @param dr the DR cluster; absent below the rung {@code observe}
 * @param buckets where snapshots go, the serving side writes all of them; home's region first
 * @param vantages the regions that probe; empty below the rung {@code observe}
 * @param failover what only exists from the rung {@code observe} on
 * @param traffic how clients are turned; absent where nothing is turned
 * @param slot how long a probing slot lasts
 * @param snapshotEvery how often the schedule takes a snapshot
 * @param topicArn the SNS topic of the function's own region that pages people
 */
public record PairSettings(
        PairId pair,
        Edition edition,
        Stage stage,
        String account,
        Cluster home,
        Optional<Cluster> dr,
        List<Bucket> buckets,
        List<Vantage> vantages,
        Optional<Failover> failover,
        Optional<Traffic> traffic,
        Duration slot,
        Duration snapshotEvery,
        String topicArn) {

    /** Which server a pair runs. */
    public enum Edition {
        OPENBAO,
        VAULT
    }

    /** The rungs, each holding all before it. */
    public enum Stage {
        BACKUP,
        PROVEN,
        OBSERVE,
        APPROVAL,
        AUTOMATIC
    }

    /**
     * One cluster.
     *
     * @param region its AWS region
     * @param address what clients use, scheme and port included
     * @param nodes each node's own API address; not empty
     * @param serverName the name in the servers' certificates, where it isn't the host of the URI
     * @param login the prefix of its AppRole secrets in Secrets Manager: {@code <login>/<intent>}
     *     holds {@code {"role_id":…,"secret_id":…}}
     * @param autoScalingGroup the group its nodes belong to; needed on the DR side
     * @param instanceTag the tag by which SSM finds its instances; needed on both sides from the
     *     rung {@code observe} on
     * @param voters how many voting nodes the cluster has when it is complete
     * @param awsLogin how functions log in by their own AWS role; empty: by AppRole
     * @param made what the CDK app made of it; empty: it was brought
     */
    public record Cluster(
            String region,
            URI address,
            List<URI> nodes,
            Optional<String> serverName,
            String login,
            Optional<String> autoScalingGroup,
            Optional<Tag> instanceTag,
            int voters,
            Optional<AwsLogin> awsLogin,
            Optional<Made> made) {}

    /**
     * Login by a signed request of AWS's identity service, which only HashiCorp Vault has built in.
     *
     * @param mount the path of the auth method
     * @param serverId what the mount wants signed as {@code X-Vault-AWS-IAM-Server-ID}
     */
    public record AwsLogin(String mount, Optional<String> serverId) {}

    /**
     * A cluster that the CDK app made, for the functions that look after it. Its node ids are the
     * ids of their instances.
     *
     * @param nodes how many instances its group has when it is complete: 3, 5 or 7
     * @param launchHook the lifecycle hook that holds a new instance until its node votes
     * @param terminationHook the lifecycle hook that holds an instance until its node may go
     * @param holdLimit how long a termination that would cost too much is held
     * @param recoveryKeys the secret of that name gets the recovery keys, in each region of the
     *     pair
     * @param initialisation the secret of home's region in which is remembered how far the
     *     initialisation came
     * @param wipeDocument the SSM document that wipes a node and starts it blank
     * @param auditFile the audit device's file, the same on every node
     */
    public record Made(
            int nodes,
            String launchHook,
            String terminationHook,
            Duration holdLimit,
            String recoveryKeys,
            String initialisation,
            String wipeDocument,
            String auditFile) {}

    /** An instance tag. */
    public record Tag(String key, String value) {}

    /**
     * A bucket.
     *
     * @param region where it stands
     * @param account whose it is, 12 digits; every call says so, and S3 refuses where it isn't
     */
    public record Bucket(String region, String name, String account) {}

    /** A region that probes, and whose it is. */
    public record Vantage(String region, Role role) {
        /** Where a vantage stands; only what isn't at home counts against home. */
        public enum Role {
            HOME,
            DR,
            WITNESS
        }
    }

    /**
     * What a failover needs.
     *
     * @param table the ledger, a DynamoDB table in the DR region
     * @param stateMachineArn the failover's state machine, in the DR region
     * @param restartDocument the SSM document that restarts the server on a DR node
     * @param wipeDocument the SSM document that wipes a blank DR node and starts it again
     * @param stopDocument the SSM document that stops the server on home's nodes and says whether
     *     it stopped
     * @param serviceUnit the systemd unit of the server on the nodes
     * @param coolDown after a change of the serving side, how long nothing is changed again
     * @param askAgainAfter after a no or no answer, how long nobody is asked again
     * @param approvalTimeout how long a person may take to answer
     * @param acceptedLoss the predicted loss up to which nobody is asked
     * @param snapshotMaxAge the age from which on the newest checked snapshot makes the DR side not
     *     ready
     * @param provenMaxAge the same for the newest proven snapshot; empty: nothing is proven, and
     *     its age holds nothing up
     * @param prefer which snapshot a promotion restores
     * @param strategy what stands in the DR region before a promotion
     */
    public record Failover(
            String table,
            String stateMachineArn,
            String restartDocument,
            String wipeDocument,
            String stopDocument,
            String serviceUnit,
            Duration coolDown,
            Duration askAgainAfter,
            Duration approvalTimeout,
            Duration acceptedLoss,
            Duration snapshotMaxAge,
            Optional<Duration> provenMaxAge,
            Prefer prefer,
            Strategy strategy) {

        /** What stands in the DR region before a promotion. */
        public enum Strategy {
            /** A group without instances: a promotion starts the first. */
            PILOT_LIGHT,
            /** One running node, not initialised. */
            WARM_STANDBY
        }

        /** Which snapshot a promotion restores. */
        public enum Prefer {
            /** The newest proven one; the newest checked one where none is proven. */
            PROVEN,
            /** The newest checked one, proven or not. */
            LESS_LOSS
        }
    }

    /**
     * How clients are turned.
     *
     * @param hostedZoneId the Route 53 zone of the record
     * @param recordName the CNAME that clients use, without a trailing dot
     * @param homeSetIdentifier the set identifier of home's weighted record
     * @param drSetIdentifier the set identifier of the DR side's weighted record
     * @param flags the traffic flags; either one turns clients
     */
    public record Traffic(
            String hostedZoneId,
            String recordName,
            String homeSetIdentifier,
            String drSetIdentifier,
            List<Flag> flags) {}

    /** Where a traffic flag is raised. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.DEDUCTION)
    @JsonSubTypes({
        @JsonSubTypes.Type(Flag.InBucket.class),
        @JsonSubTypes.Type(Flag.InMetric.class)
    })
    public sealed interface Flag {
        /** The region that it stands in. */
        String region();

        /** An object: its presence at the key turns clients to DR. */
        record InBucket(String region, String bucket, String key) implements Flag {}

        /**
         * A metric: a datapoint of 1 turns clients to DR, one of 0 home.
         *
         * @param namespace the metric's namespace, the pair's own, by which writing it is allowed
         * @param metric its name; it has no dimensions
         * @param alarm the alarm over it that Route 53's health check is based on
         */
        record InMetric(String region, String namespace, String metric, String alarm)
                implements Flag {}
    }

    /**
     * Whether the buckets stand in several accounts. Then each account keeps its own: it alone
     * deletes in them, and who is in another one never overwrites there.
     */
    public boolean apart() {
        return buckets.stream().anyMatch(bucket -> !bucket.account().equals(account));
    }

    /** The buckets of the function's own account. */
    public List<Bucket> own() {
        return buckets.stream().filter(bucket -> bucket.account().equals(account)).toList();
    }

    /** The buckets that a function may look into: home's account sees all, another one its own. */
    public List<Bucket> seen() {
        return buckets.getFirst().account().equals(account) ? buckets : own();
    }

    /** The slots this pair's probing is counted in. */
    public Slots slots() {
        return new Slots(slot);
    }

    /** Whether the CDK app made a cluster of the pair, on either side. */
    public boolean made() {
        return home.made().isPresent() || dr.flatMap(Cluster::made).isPresent();
    }

    /** The cluster on {@code side}; fails where the pair has no DR side. */
    public Cluster cluster(Side side) {
        return side == Side.HOME ? home : dr.orElseThrow();
    }
}
