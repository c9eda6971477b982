/** Those who stand between a cohort and its recipient. */
import type { Role } from '../../src/core/grants.ts'
import type { ApiClient } from './api-client.ts'
import type { Reviewers } from './exchange.ts'

/** Registers them and signs them in. */
export async function reviewersOf(
  service: { person: (name: string, roles: Role[]) => Promise<ApiClient> },
  operator: ApiClient,
): Promise<Reviewers> {
  return {
    operator,
    reviewers: [
      await service.person('reviewer-one', ['reviewer']),
      await service.person('reviewer-two', ['reviewer']),
      await service.person('reviewer-three', ['reviewer']),
    ],
    head: await service.person('head', ['head']),
    recipient: await service.person('recipient', ['recipient']),
  }
}
