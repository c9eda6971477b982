import { catalogueSchema } from '../catalogue/schema.ts'
import { takeTable } from '../engine/take-table.ts'
import { findProject } from '../store/projects.ts'
import type { JobRun, WorkerDeps } from './deps.ts'
import { takePart } from './intake.ts'

/** Takes a part of a table in: validated against the agency's closed column list, it becomes typed Parquet. */
export async function intakeTable(deps: WorkerDeps, run: JobRun): Promise<void> {
  const project = await findProject(deps.pool, run.job.projectId)
  const catalogue = catalogueSchema.parse(project?.catalogue)
  const table = catalogue.tables[run.job.subject['table'] ?? '']
  if (!table) throw new Error('a job names a table that the catalogue does not have')
  await takePart(deps, run, {
    action: 'intake-table',
    uploadKind: 'table-upload',
    takenKind: 'typed-part',
    take: async (session, { input, output, part }) => {
      const { rows, taken, refusals, ...report } = await takeTable(session, {
        input,
        output,
        mediaType: part.mediaType,
        table,
      })
      return { rows, taken, refusals, report }
    },
  })
}
