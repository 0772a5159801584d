import { GraphWidget, type IMetric } from 'aws-cdk-lib/aws-cloudwatch'

/** Returns a graph of a dashboard; three fill a row. */
export const graph = (title: string, left: IMetric[], right: IMetric[] = []): GraphWidget =>
  new GraphWidget({ title, left, right, width: 8, height: 6, leftYAxis: { min: 0 } })
