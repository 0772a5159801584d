import { LogQueryVisualizationType, LogQueryWidget } from 'aws-cdk-lib/aws-cloudwatch'
import type { LogQuery } from './log-queries.ts'
import { namesOf } from './resource-names.ts'

/** Returns a dashboard table with the result of a log query. */
export const logTableWidget = (name: string, { title, roles, lines }: LogQuery): LogQueryWidget =>
  new LogQueryWidget({
    title,
    logGroupNames: roles.map(namesOf(name).logGroup),
    view: LogQueryVisualizationType.TABLE,
    queryLines: [...lines],
    width: 24,
    height: 8
  })
