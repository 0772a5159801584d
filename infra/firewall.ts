import { ArnFormat, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { IApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { FilterPattern, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2'
import { Construct } from 'constructs'
import { ACTIVITY_BODY_BYTES } from '../app/activity/body-limit.ts'
import { WEBHOOK_PATH } from '../app/web/webhook-path.ts'
import { regexForNumbersAbove } from './number-regex.ts'
import { namesOf } from './resource-names.ts'
import type { Settings } from './settings.ts'

export interface FirewallProps {
  settings: Settings
  loadBalancer: IApplicationLoadBalancer
  /** Encrypts the log; undefined uses a key of AWS. */
  key: IKey | undefined
}

/**
 * Rules that inspect the body or the User-Agent only count matches. Metadata may contain anything, `<script>`
 * included, so a rule that blocks by body content would lose authentic notifications. WAF also sees only the
 * first 8 KB of a body. `web` verifies the signature over the whole body before anything parses it.
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-setting-body-inspection-limit.html,
 * https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
 */
const COUNTED_RULES = {
  AWSManagedRulesCommonRuleSet: [
    'SizeRestrictions_BODY',
    'CrossSiteScripting_BODY',
    'GenericLFI_BODY',
    'GenericRFI_BODY',
    'EC2MetaDataSSRF_BODY',
    'NoUserAgent_HEADER',
    'UserAgent_BadBots_HEADER'
  ],
  AWSManagedRulesKnownBadInputsRuleSet: ['JavaDeserializationRCE_BODY', 'Log4JRCE_BODY', 'ReactJSRCE_BODY']
} as const

/** Name of the rule that limits requests per address. */
export const RATE_RULE = 'RequestsPerIp'

/** Period over which WAF counts requests, in seconds. */
const RATE_WINDOW = 300

/** AWS WAF in front of the load balancer. */
export class Firewall extends Construct {
  /** Blocked requests to the webhook, whichever rule blocked them. */
  readonly blockedWebhooks: Metric

  constructor(scope: Construct, id: string, { settings, loadBalancer, key }: FirewallProps) {
    super(scope, id)
    const { name, requestsPerIp } = settings
    const bodyLimitBytes = Math.max(settings.bodyLimitBytes, settings.activity ? ACTIVITY_BODY_BYTES : 0)
    const block = (rule: string, priority: number, statement: CfnWebACL.StatementProperty) => ({
      name: rule,
      priority,
      action: { block: {} },
      visibilityConfig: visibility(rule),
      statement
    })
    const managed = Object.entries(COUNTED_RULES).map(([group, counted], index) => ({
      name: group,
      priority: 2 + index,
      overrideAction: { none: {} },
      visibilityConfig: visibility(group),
      statement: {
        managedRuleGroupStatement: {
          vendorName: 'AWS',
          name: group,
          ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } }))
        }
      }
    }))
    const webAcl = new CfnWebACL(this, 'WebAcl', {
      name: `${name}-webhook`,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility(namesOf(name).firewallMetrics),
      rules: [
        block(RATE_RULE, 0, {
          rateBasedStatement: {
            limit: requestsPerIp,
            aggregateKeyType: 'IP',
            evaluationWindowSec: RATE_WINDOW
          }
        }),
        // a rule on the body's size sees only the first 8 KB, so this one compares Content-Length
        block('BodyLimit', 1, {
          regexMatchStatement: {
            fieldToMatch: { singleHeader: { Name: 'content-length' } },
            regexString: regexForNumbersAbove(bodyLimitBytes),
            textTransformations: [{ priority: 0, type: 'NONE' }]
          }
        }),
        ...managed
      ]
    })
    new CfnWebACLAssociation(this, 'Association', {
      webAclArn: webAcl.attrArn,
      resourceArn: loadBalancer.loadBalancerArn
    })
    this.blockedWebhooks = this.#countBlocked(this.#logBlocked(webAcl, settings, key), settings)
  }

  #logBlocked(
    webAcl: CfnWebACL,
    { name, logRetentionDays, retainData }: Settings,
    key: IKey | undefined
  ): LogGroup {
    const logGroup = new LogGroup(this, 'Log', {
      // WAF requires this prefix
      logGroupName: `aws-waf-logs-${name}`,
      retention: logRetentionDays as RetentionDays,
      removalPolicy: retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
      ...(key && { encryptionKey: key })
    })
    new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: webAcl.attrArn,
      // `logGroup.logGroupArn` ends with :*, which WAF may reject
      logDestinationConfigs: [
        Stack.of(this).formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: logGroup.logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME
        })
      ],
      redactedFields: ['x-cld-signature', 'x-cld-signature_v2', 'authorization', 'cookie'].map((Name) => ({
        singleHeader: { Name }
      })),
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          {
            Behavior: 'KEEP',
            Requirement: 'MEETS_ANY',
            Conditions: [{ ActionCondition: { Action: 'BLOCK' } }]
          }
        ]
      }
    })
    return logGroup
  }

  /** AWS WAF's own metrics do not distinguish the webhook from other paths, which scanners try all the time. */
  #countBlocked(logGroup: LogGroup, { name }: Settings): Metric {
    return logGroup
      .addMetricFilter('BlockedWebhooks', {
        filterPattern: FilterPattern.literal(
          `{ ($.httpRequest.httpMethod = "POST") && ($.httpRequest.uri = "${WEBHOOK_PATH}*") }`
        ),
        metricNamespace: namesOf(name).firewallMetrics,
        metricName: 'BlockedWebhooks',
        metricValue: '1'
      })
      .metric({ statistic: 'Sum', period: Duration.minutes(5) })
  }
}

const visibility = (metricName: string) => ({
  metricName,
  cloudWatchMetricsEnabled: true,
  sampledRequestsEnabled: false
})
