import { canaryTableSchema, quarantinedKeys } from '../core/canary-table.ts'
import { takeNotices } from '../engine/take-notices.ts'
import { findDelivery } from '../store/deliveries.ts'
import { findProject } from '../store/projects.ts'
import type { JobRun, WorkerDeps } from './deps.ts'
import { takePart } from './intake.ts'

/** Takes a part of notices in: both keys of a pair become tokens, as those of the parts of keys do. */
export async function intakeNotices(deps: WorkerDeps, run: JobRun): Promise<void> {
  const project = await findProject(deps.pool, run.job.projectId)
  const delivery = await findDelivery(deps.pool, run.job.subject['delivery'] ?? '')
  if (!project || !delivery) throw new Error('a job names a delivery that does not exist')
  const canaries = canaryTableSchema.nullable().parse(project.canaries)
  const linkage = { purpose: 'linkage', project: project.id, epoch: delivery.epoch } as const
  await takePart(deps, run, {
    action: 'intake-notices',
    uploadKind: 'key-upload',
    takenKind: 'tokens',
    take: async (session, { input, output, part }) => {
      const { rows, taken, refusals } = await takeNotices(session, {
        input,
        output,
        mediaType: part.mediaType,
        quarantine: canaries ? quarantinedKeys(canaries) : [],
        tokensOf: (messages) => deps.keyring.macColumn(linkage, messages, 32),
      })
      return { rows, taken, refusals, report: {} }
    },
  })
}
