import { Duration, SecretValue } from 'aws-cdk-lib'
import {
  type ApplicationListener,
  type ApplicationTargetGroup,
  ListenerAction,
  ListenerCondition,
  UnauthenticatedAction
} from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { namesOf } from './resource-names.ts'
import type { OidcProvider } from './setting-values.ts'
import type { Settings } from './settings.ts'

const API_PATHS = ['/api/activity/*']

/** Paths of the role `activity`; all others belong to `web`. */
const PAGE_PATHS = ['/activity', '/activity/*']

/** Path to which the provider sends people back. The load balancer handles it, as part of the login. */
const LOGIN_PATH = '/oauth2/idpresponse'

/** Time after which a person must log in again. The load balancer's default is 7 days. */
const SESSION = Duration.hours(12)

/** Order of the rules. Each has a priority of its own, so that an update never moves a rule to a used one. */
const PRIORITIES = { ActivityToken: 1, ActivityPreflight: 2, ActivityApi: 3, Activity: 10 } as const

/**
 * Forwards the paths of `activity`. With an OIDC provider, the load balancer forwards only requests of people
 * who have logged in there, except those of machines with a bearer token, and the preflights of browsers, which
 * carry no credentials. The role itself checks tokens and passwords in any case.
 */
export function routeActivity(
  listener: ApplicationListener,
  group: ApplicationTargetGroup,
  { name, activityOidc }: Settings
): void {
  const forward = ListenerAction.forward([group])
  const route = (id: keyof typeof PRIORITIES, action: ListenerAction, ...conditions: ListenerCondition[]) =>
    listener.addAction(id, { priority: PRIORITIES[id], conditions, action })
  if (!activityOidc) {
    route('Activity', forward, ListenerCondition.pathPatterns([...PAGE_PATHS, ...API_PATHS]))
    return
  }
  const api = ListenerCondition.pathPatterns(API_PATHS)
  const loggedIn = authentication(name, activityOidc, forward)
  route('ActivityToken', forward, api, ListenerCondition.httpHeader('Authorization', ['Bearer *']))
  route('ActivityPreflight', forward, api, ListenerCondition.httpRequestMethods(['OPTIONS']))
  // a script cannot follow the redirect to the provider
  route('ActivityApi', loggedIn(UnauthenticatedAction.DENY), api)
  const pages = ListenerCondition.pathPatterns([...PAGE_PATHS, LOGIN_PATH])
  route('Activity', loggedIn(UnauthenticatedAction.AUTHENTICATE), pages)
}

const authentication =
  (name: string, { clientSecretVersion, ...provider }: OidcProvider, next: ListenerAction) =>
  (onUnauthenticatedRequest: UnauthenticatedAction) =>
    ListenerAction.authenticateOidc({
      ...provider,
      // CloudFormation reads the value when it deploys; the template has only the secret's name
      clientSecret: SecretValue.secretsManager(namesOf(name).activityOidcSecret, {
        ...(clientSecretVersion && { versionId: clientSecretVersion })
      }),
      sessionTimeout: SESSION,
      onUnauthenticatedRequest,
      next
    })
