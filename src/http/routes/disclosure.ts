import { z } from 'zod'
import type { Deps } from '../../actions/deps.ts'
import { showDisclosure, showDisclosurePage } from '../../actions/show-disclosure.ts'
import { shownDisclosureSchema } from '../../core/shown-disclosure.ts'
import type { App } from '../app.ts'
import { pageAnswer } from '../page-answer.ts'
import { idSchema, problems, requireCaller } from '../schemas.ts'

/** The disclosure report of a release, as JSON and as a page. */
export function disclosureRoutes(app: App, deps: Deps): void {
  app.route({
    method: 'GET',
    url: '/v1/releases/:release/disclosure',
    schema: {
      operationId: 'show-disclosure',
      tags: ['releases'],
      summary:
        'How recognisable the persons of a release are and what it lost: small counts hidden',
      params: z.strictObject({ release: idSchema }),
      response: { 200: shownDisclosureSchema.meta({ id: 'DisclosureReport' }), ...problems },
    },
    handler: (request) => showDisclosure(deps, requireCaller(request), request.params.release),
  })

  app.route({
    method: 'GET',
    url: '/v1/releases/:release/report',
    schema: {
      operationId: 'show-disclosure-page',
      tags: ['releases'],
      summary: 'The same as one page with charts, to read and to print',
      params: z.strictObject({ release: idSchema }),
      querystring: z.strictObject({ lang: z.enum(['en', 'ko']).default('ko') }),
      produces: ['text/html'],
      response: { 200: z.string(), ...problems },
    },
    handler: async (request, reply) => {
      const { release } = request.params
      const wanted = { release, language: request.query.lang }
      const page = await showDisclosurePage(deps, requireCaller(request), wanted)
      return pageAnswer(reply, page)
    },
  })
}
