import { LogQueryVisualizationType, LogQueryWidget } from 'aws-cdk-lib/aws-cloudwatch'
import type { LogQuery } from './log-queries.ts'
import { namesOf } from './names.ts'

/** The answer to a question to the logs, as a table on a dashboard. */
export const logTable = (name: string, { title, roles, lines }: LogQuery): LogQueryWidget =>
  new LogQueryWidget({
    title,
    logGroupNames: roles.map(namesOf(name).logGroup),
    view: LogQueryVisualizationType.TABLE,
    queryLines: [...lines],
    width: 24,
    height: 8
  })
