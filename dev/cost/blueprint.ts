import { type Bill, HOURS } from './bill.ts'
import { priceOf } from './prices.ts'
import type { Traffic } from './traffic.ts'

/** As the blueprint's template has it, in days. */
const LOG_RETENTION_DAYS = 90

const MILLION = 1e6

/**
 * What Cloudinary's blueprint of 2021 costs that is sent as many notifications: one Lambda behind a REST API, at the defaults
 * of its template.
 *
 * Source: https://github.com/cloudinary-devs/web-listener-blueprint-aws (serverless.yml, index.py)
 */
export function blueprintBill(events: number, traffic: Traffic): Bill {
  const requests = events / traffic.eventsPerNotification
  const loggedGb = (requests * traffic.blueprintLogBytes) / 1e9
  return {
    'API Gateway': priceOf('restApiMillion', requests / MILLION),
    Lambda:
      priceOf('lambdaMillion', requests / MILLION) +
      priceOf('lambdaGbSecond', (requests * traffic.blueprintMs * traffic.blueprintGb) / 1000),
    'Logs (CloudWatch)':
      priceOf('logsGb', loggedGb) +
      priceOf('logsGbMonth', (loggedGb * traffic.logCompression * LOG_RETENTION_DAYS) / (HOURS / 24)),
    Secret: priceOf('secretMonth', 1)
  }
}
