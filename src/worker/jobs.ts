/** Which action does which kind of job, a side each. */
import { assembleCohort } from '../actions/assemble-cohort.ts'
import { assemblePart } from '../actions/assemble-part.ts'
import { buildRelease, failRelease } from '../actions/build-release.ts'
import { buildReleasePart } from '../actions/build-release-part.ts'
import { changeLinkageKey } from '../actions/change-linkage-key.ts'
import { countQuality } from '../actions/count-quality.ts'
import { destroyRelease } from '../actions/destroy-release.ts'
import { intakeKeys } from '../actions/intake-keys.ts'
import { intakeNotices } from '../actions/intake-notices.ts'
import { intakeTable } from '../actions/intake-table.ts'
import { failLink, link } from '../actions/link.ts'
import { makeProjectKeys } from '../actions/make-project-keys.ts'
import { publishRelease } from '../actions/publish-release.ts'
import { takeDelivery } from '../actions/take-delivery.ts'
import { failQuestions, writeQuestions } from '../actions/write-questions.ts'
import type { JobTable } from './run-job.ts'

export const keySideJobs: JobTable = {
  'make-project-keys': { run: makeProjectKeys },
  'change-linkage-key': { run: changeLinkageKey },
  'intake-keys': { run: intakeKeys },
  'intake-notices': { run: intakeNotices },
  link: { run: link, onFailed: failLink },
  'write-questions': { run: writeQuestions, onFailed: failQuestions },
}

export const dataSideJobs: JobTable = {
  'make-project-keys': { run: makeProjectKeys },
  'intake-table': { run: intakeTable },
  'take-delivery': { run: takeDelivery },
  'assemble-part': { run: assemblePart },
  'assemble-cohort': { run: assembleCohort },
  'count-quality': { run: countQuality },
  'build-release': { run: buildRelease, onFailed: failRelease },
  'build-release-part': { run: buildReleasePart },
  'publish-release': { run: publishRelease },
  'destroy-release': { run: destroyRelease },
}
