package io.vaultdr.infra.construct;

import io.github.cdklabs.cdknag.NagPackSuppression;
import io.github.cdklabs.cdknag.NagSuppressions;
import io.vaultdr.infra.config.Names;

import software.amazon.awscdk.Duration;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.cloudwatch.Alarm;
import software.amazon.awscdk.services.cloudwatch.ComparisonOperator;
import software.amazon.awscdk.services.cloudwatch.IMetric;
import software.amazon.awscdk.services.cloudwatch.MetricOptions;
import software.amazon.awscdk.services.cloudwatch.TreatMissingData;
import software.amazon.awscdk.services.cloudwatch.actions.SnsAction;
import software.amazon.awscdk.services.events.EventField;
import software.amazon.awscdk.services.events.EventPattern;
import software.amazon.awscdk.services.events.Rule;
import software.amazon.awscdk.services.events.RuleTargetInput;
import software.amazon.awscdk.services.events.targets.SnsTopic;
import software.amazon.awscdk.services.iam.Effect;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.sns.ITopic;
import software.amazon.awscdk.services.sns.Subscription;
import software.amazon.awscdk.services.sns.SubscriptionProtocol;
import software.amazon.awscdk.services.sns.Topic;
import software.amazon.awscdk.services.sqs.Queue;
import software.amazon.awscdk.services.sqs.QueueEncryption;
import software.constructs.Construct;

import java.util.List;
import java.util.Map;

/** What calls people: a topic, and the alarms that publish to it. */
public final class Pages {
    private final ITopic topic;
    private final String arn;

    private Pages(ITopic topic, String arn) {
        this.topic = topic;
        this.arn = arn;
    }

    /** Makes the topic and its subscriptions. */
    public static Pages create(Construct scope, String name, List<String> receivers) {
        Topic topic = Topic.Builder.create(scope, "Pages").topicName(name).enforceSsl(true).build();
        // A topic with a policy of its own has no default one: alarms would publish into the void.
        topic.addToResourcePolicy(
                PolicyStatement.Builder.create()
                        .sid("Alarms")
                        .effect(Effect.ALLOW)
                        .principals(List.of(new ServicePrincipal("cloudwatch.amazonaws.com")))
                        .actions(List.of("sns:Publish"))
                        .resources(List.of(topic.getTopicArn()))
                        .conditions(
                                Map.of(
                                        "StringEquals",
                                        Map.of("aws:SourceAccount", Stack.of(scope).getAccount())))
                        .build());
        for (int i = 0; i < receivers.size(); i++) {
            String receiver = receivers.get(i);
            Subscription.Builder.create(topic, "Receiver" + i)
                    .topic(topic)
                    .endpoint(receiver)
                    .protocol(
                            receiver.startsWith("https://")
                                    ? SubscriptionProtocol.HTTPS
                                    : SubscriptionProtocol.EMAIL)
                    .build();
        }
        Stack stack = Stack.of(scope);
        return new Pages(
                topic, "arn:aws:sns:" + stack.getRegion() + ":" + stack.getAccount() + ":" + name);
    }

    /** Lets the account's EventBridge rules of that name's beginning publish, too. */
    public void allowRules(Names names, String region) {
        topic.addToResourcePolicy(
                PolicyStatement.Builder.create()
                        .sid("Rules")
                        .effect(Effect.ALLOW)
                        .principals(List.of(new ServicePrincipal("events.amazonaws.com")))
                        .actions(List.of("sns:Publish"))
                        .resources(List.of(topic.getTopicArn()))
                        .conditions(
                                Map.of(
                                        "ArnLike",
                                        Map.of(
                                                "aws:SourceArn",
                                                names.arn("events", region, "rule/")
                                                        + names.of("*"))))
                        .build());
    }

    /**
     * Pages when AWS says that something was done. The topic has to let rules publish.
     *
     * @param what was done, as a sentence's beginning; the rule adds by whom
     */
    public void onCall(
            Construct scope,
            String id,
            String name,
            EventPattern calls,
            String what,
            String runbook) {
        Rule.Builder.create(scope, id)
                .ruleName(name)
                .description(what)
                .eventPattern(calls)
                .targets(
                        List.of(
                                SnsTopic.Builder.create(topic)
                                        .message(
                                                RuleTargetInput.fromText(
                                                        described(
                                                                what
                                                                        + ": "
                                                                        + EventField.fromPath(
                                                                                "$.detail.eventName")
                                                                        + " by "
                                                                        + EventField.fromPath(
                                                                                "$.detail.userIdentity.arn")
                                                                        + " at "
                                                                        + EventField.fromPath(
                                                                                "$.detail.eventTime")
                                                                        + ".",
                                                                runbook)))
                                        .build()))
                .build();
    }

    /**
     * Pages when an event comes. The topic has to let rules publish.
     *
     * @param what it means, as a whole sentence
     */
    public void onEvent(
            Construct scope,
            String id,
            String name,
            EventPattern events,
            String what,
            String runbook) {
        Rule.Builder.create(scope, id)
                .ruleName(name)
                .description(what)
                .eventPattern(events)
                .targets(
                        List.of(
                                SnsTopic.Builder.create(topic)
                                        .message(RuleTargetInput.fromText(described(what, runbook)))
                                        .build()))
                .build();
    }

    /** The topic that another stack of the same region makes. */
    public static Pages named(Construct scope, String arn) {
        return new Pages(Topic.fromTopicArn(scope, "Pages", arn), arn);
    }

    /** The topic's ARN, written out. */
    public String arn() {
        return arn;
    }

    /** Raises an alarm, and says so when it ends. */
    public Alarm alarm(Construct scope, String id, Raise raise) {
        Alarm alarm =
                Alarm.Builder.create(scope, id)
                        .alarmName(raise.name())
                        .alarmDescription(described(raise.description(), raise.runbook()))
                        .metric(raise.metric())
                        .comparisonOperator(raise.when())
                        .threshold(raise.threshold())
                        .evaluationPeriods(raise.periods())
                        .datapointsToAlarm(raise.periods())
                        .treatMissingData(raise.missing())
                        .build();
        alarm.addAlarmAction(new SnsAction(topic));
        alarm.addOkAction(new SnsAction(topic));
        return alarm;
    }

    /** What an alarm says: what is the matter, and where it stands what to do. */
    public static String described(String description, String runbook) {
        return description + " Runbook: docs/runbooks/" + runbook + ".md";
    }

    /**
     * When an alarm is raised.
     *
     * @param runbook the file in docs/runbooks, without its end
     */
    public record Raise(
            String name,
            String description,
            String runbook,
            IMetric metric,
            ComparisonOperator when,
            double threshold,
            int periods,
            TreatMissingData missing) {

        /** Raised by one or more within a period; nothing reported is good. */
        public static Raise onAny(String name, String description, String runbook, IMetric metric) {
            return new Raise(
                    name,
                    description,
                    runbook,
                    metric,
                    ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
                    1,
                    1,
                    TreatMissingData.NOT_BREACHING);
        }

        /** Raised by less than one in each of {@code periods}; nothing reported is bad. */
        public static Raise onNone(
                String name, String description, String runbook, IMetric metric, int periods) {
            return new Raise(
                    name,
                    description,
                    runbook,
                    metric,
                    ComparisonOperator.LESS_THAN_THRESHOLD,
                    1,
                    periods,
                    TreatMissingData.BREACHING);
        }
    }

    /** The queue for events that no function could handle, with its alarm. */
    public Queue undelivered(Construct scope, String name) {
        Queue queue =
                Queue.Builder.create(scope, "Undelivered")
                        .queueName(name)
                        .encryption(QueueEncryption.SQS_MANAGED)
                        .enforceSsl(true)
                        .retentionPeriod(Duration.days(14))
                        .build();
        NagSuppressions.addResourceSuppressions(
                queue,
                List.of(
                        NagPackSuppression.builder()
                                .id("AwsSolutions-SQS3")
                                .reason("This is the queue for what failed elsewhere")
                                .build()));
        alarm(
                queue,
                "Alarm",
                Raise.onAny(
                        name,
                        "An event was given up: its function failed or was throttled until the"
                                + " retries ran out. The message in the queue holds the event.",
                        "undelivered",
                        queue.metricApproximateNumberOfMessagesVisible(
                                MetricOptions.builder()
                                        .period(Duration.minutes(1))
                                        .statistic("Maximum")
                                        .build())));
        return queue;
    }
}
