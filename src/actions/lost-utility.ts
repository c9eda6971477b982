import { linkRulesSchema } from '../core/passes.ts'
import { type ToldUtility, toldUtilityOf } from '../core/told-disclosure.ts'
import { type UtilityReport, utilityReportOf } from '../core/utility-report.ts'
import { childrenOf } from '../store/jobs.ts'
import type { Queryable } from '../store/pool.ts'
import { findProject } from '../store/projects.ts'

/** What a release lost, from the results of its parts: the whole of it, and what may be told of it. */
export async function lostUtility(
  db: Queryable,
  job: { jobId: string; projectId: string },
): Promise<{ report: UtilityReport; told: ToldUtility }> {
  const project = await findProject(db, job.projectId)
  const parts = await childrenOf(db, job.jobId)
  const report = utilityReportOf(
    parts.map(({ subject, result }) => ({ table: subject['table'] ?? '', result })),
  )
  const { cellMin } = linkRulesSchema.parse(project?.rules)
  return { report, told: toldUtilityOf(report, cellMin) }
}
