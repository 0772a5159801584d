import { Duration } from 'aws-cdk-lib'
import { Dashboard } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { ACTIVITY } from './log-queries.ts'
import { logTable } from './log-table.ts'
import { namesOf } from './names.ts'
import type { Settings } from './settings.ts'

/** "What did it do?": what came in, and what became of it, read from the logs whenever somebody looks. */
export class Activity extends Construct {
  readonly dashboard: Dashboard

  constructor(scope: Construct, id: string, { settings, region }: { settings: Settings; region: string }) {
    super(scope, id)
    this.dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: namesOf(settings.name).activity(region),
      defaultInterval: Duration.hours(1)
    })
    for (const query of ACTIVITY) this.dashboard.addWidgets(logTable(settings.name, query))
  }
}
