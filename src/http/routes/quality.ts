import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { showQuality, showQualityPage, showQualityTable } from '../../actions/show-quality.ts'
import { qualityReportSchema } from '../../core/quality-report.ts'
import type { App } from '../app.ts'
import { pageAnswer } from '../page-answer.ts'
import { idSchema, problems, requireCaller } from '../schemas.ts'

/** The quality report of a linkage, as JSON, as a table and as a page. */
export function qualityRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'GET',
    url: '/v1/linkages/:linkage/quality',
    schema: {
      operationId: 'show-quality',
      tags: ['linkages'],
      summary: 'How well a linkage went: counts, small ones hidden',
      params: z.strictObject({ linkage: idSchema }),
      response: { 200: qualityReportSchema.meta({ id: 'QualityReport' }), ...problems },
    },
    handler: (request) => showQuality(deps, requireCaller(request), request.params.linkage),
  })

  app.route({
    method: 'GET',
    url: '/v1/linkages/:linkage/quality-table',
    schema: {
      operationId: 'show-quality-table',
      tags: ['linkages'],
      summary: 'The same as one table, a line a number',
      params: z.strictObject({ linkage: idSchema }),
      produces: ['text/csv'],
      response: { 200: z.string(), ...problems },
    },
    handler: async (request, reply) => {
      const table = await showQualityTable(deps, requireCaller(request), request.params.linkage)
      return reply.type('text/csv; charset=utf-8').serializer(String).send(table)
    },
  })

  app.route({
    method: 'GET',
    url: '/v1/linkages/:linkage/report',
    schema: {
      operationId: 'show-quality-page',
      tags: ['linkages'],
      summary: 'The same as one page with charts, to read and to print',
      params: z.strictObject({ linkage: idSchema }),
      querystring: z.strictObject({ lang: z.enum(['en', 'ko']).default('ko') }),
      produces: ['text/html'],
      response: { 200: z.string(), ...problems },
    },
    handler: async (request, reply) => {
      const { linkage } = request.params
      const wanted = { linkage, language: request.query.lang }
      const page = await showQualityPage(deps, requireCaller(request), wanted)
      return pageAnswer(reply, page)
    },
  })
}
