import { canaryTableSchema, quarantinedKeys } from '../core/canary-table.ts'
import { takeKeys } from '../engine/take-keys.ts'
import { findDelivery } from '../store/deliveries.ts'
import { agenciesOfProject, findProject } from '../store/projects.ts'
import type { JobRun, WorkerDeps } from './deps.ts'
import { takePart } from './intake.ts'

/** Takes a part of keys in: every key becomes a token under the project's linkage key, and what arrived is destroyed. */
export async function intakeKeys(deps: WorkerDeps, run: JobRun): Promise<void> {
  const project = await findProject(deps.pool, run.job.projectId)
  const delivery = await findDelivery(deps.pool, run.job.subject['delivery'] ?? '')
  if (!project || !delivery) throw new Error('a job names a delivery that does not exist')
  const members = await agenciesOfProject(deps.pool, project.id)
  const member = members.find((other) => other.agencyId === delivery.agencyId)
  const canaries = canaryTableSchema.nullable().parse(project.canaries)
  const linkage = { purpose: 'linkage', project: project.id, epoch: delivery.epoch } as const
  await takePart(deps, run, {
    action: 'intake-keys',
    uploadKind: 'key-upload',
    takenKind: 'tokens',
    take: async (session, { input, output, part }) => {
      const { rows, taken, refusals, ...report } = await takeKeys(session, {
        input,
        output,
        mediaType: part.mediaType,
        keyTypes: member?.keyTypes ?? [],
        quarantine: canaries ? quarantinedKeys(canaries) : [],
        tokensOf: (messages) => deps.keyring.macColumn(linkage, messages, 32),
      })
      return { rows, taken, refusals, report }
    },
  })
}
