import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { readExtraction } from '../../actions/read-extraction.ts'
import type { App } from '../app.ts'
import { idSchema, problems, requireCaller } from '../schemas.ts'
import { sendList } from '../send-list.ts'

/** The list of an agency's own linked serials. */
export function extractionRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'GET',
    url: '/v1/linkages/:linkage/extraction',
    exposeHeadRoute: false, // Asking without taking would be a taking in the trail.
    schema: {
      operationId: 'read-extraction',
      tags: ['linkages'],
      summary: 'For an agency, where the project allows it: its own serials that were linked',
      params: z.strictObject({ linkage: idSchema }),
      produces: ['text/csv'],
      response: { 200: z.unknown().describe('CSV: one column, serial'), ...problems },
    },
    handler: async (request, reply) => {
      const { linkage } = request.params
      return sendList(reply, await readExtraction(deps, requireCaller(request), linkage))
    },
  })
}
