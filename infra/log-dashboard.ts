import { Duration } from 'aws-cdk-lib'
import { Dashboard } from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { LOG_DASHBOARD_QUERIES } from './log-queries.ts'
import { logTableWidget } from './log-table-widget.ts'
import { namesOf } from './resource-names.ts'
import type { Settings } from './settings.ts'

/**
 * CloudWatch dashboard of what came in and the outcome of each event. Queries the logs whenever it is opened.
 */
export class LogDashboard extends Construct {
  readonly dashboard: Dashboard

  constructor(scope: Construct, id: string, { settings, region }: { settings: Settings; region: string }) {
    super(scope, id)
    this.dashboard = new Dashboard(this, 'Dashboard', {
      dashboardName: namesOf(settings.name).logDashboard(region),
      defaultInterval: Duration.hours(1)
    })
    for (const query of LOG_DASHBOARD_QUERIES) {
      this.dashboard.addWidgets(logTableWidget(settings.name, query))
    }
  }
}
