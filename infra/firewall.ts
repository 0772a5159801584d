import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib'
import type { IApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2'
import { Construct } from 'constructs'
import { moreThan } from './more-than.ts'
import { namesOf } from './names.ts'
import type { Settings } from './settings.ts'

export interface FirewallProps {
  settings: Settings
  loadBalancer: IApplicationLoadBalancer
  /** The customer's own key, for the log. */
  key: IKey | undefined
}

/**
 * Rules that look into the body, or at the User-Agent, only count. Before a load balancer the firewall sees no more than
 * the first 8 KB of a body, and metadata may hold anything, `<script>` included: a rule that blocks by it would lose
 * authentic notifications, of which one may have 10 MiB. What a body is worth is decided by its signature, which is
 * verified over all of it before anything reads it.
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

/** The rule that blocks an address for its number of requests. */
export const RATE_RULE = 'RequestsPerIp'

/** In seconds. */
const RATE_WINDOW = 300

/** What stands before the load balancer. */
export class Firewall extends Construct {
  constructor(scope: Construct, id: string, { settings, loadBalancer, key }: FirewallProps) {
    super(scope, id)
    const { name, requestsPerIp, bodyLimitBytes } = settings
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
      visibilityConfig: visibility(namesOf(name).firewall),
      rules: [
        block(RATE_RULE, 0, {
          rateBasedStatement: {
            limit: requestsPerIp,
            aggregateKeyType: 'IP',
            evaluationWindowSec: RATE_WINDOW
          }
        }),
        // a rule on the body's size would compare no more than the 8 KB it sees
        block('BodyLimit', 1, {
          regexMatchStatement: {
            fieldToMatch: { singleHeader: { Name: 'content-length' } },
            regexString: moreThan(bodyLimitBytes),
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
    this.#logBlocked(webAcl, settings, key)
  }

  #logBlocked(
    webAcl: CfnWebACL,
    { name, logRetentionDays, retainData }: Settings,
    key: IKey | undefined
  ): void {
    const logGroup = new LogGroup(this, 'Log', {
      // the prefix is AWS WAF's
      logGroupName: `aws-waf-logs-${name}`,
      retention: logRetentionDays as RetentionDays,
      removalPolicy: retainData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
      ...(key && { encryptionKey: key })
    })
    new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: webAcl.attrArn,
      // that of the log group itself ends with :*, which AWS WAF may refuse
      logDestinationConfigs: [
        Stack.of(this).formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: logGroup.logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME
        })
      ],
      redactedFields: ['x-cld-signature', 'x-cld-signature_v2', 'authorization'].map((Name) => ({
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
  }
}

const visibility = (metricName: string) => ({
  metricName,
  cloudWatchMetricsEnabled: true,
  sampledRequestsEnabled: false
})
