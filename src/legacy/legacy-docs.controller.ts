import { Controller, Get, Header, Param } from '@nestjs/common';
import { ApiExcludeController, type OpenAPIObject } from '@nestjs/swagger';
import { AccessFor, PUBLIC } from '../common/actor/access.js';
import { OfFamily } from '../common/actor/route-table.js';
import { NothingHere } from '../common/errors/common.errors.js';
import { Config, type LegacyFamily } from '../config/config.js';
import { readLegacyOpenApi } from '../docs/docs.js';
import { redocPage } from '../docs/page.js';

/** What each family of old clients is served, for those who keep them alive. */
@ApiExcludeController()
@OfFamily('docs')
@Controller('docs/legacy')
export class LegacyDocsController {
  constructor(private readonly config: Config) {}

  @Get(':name')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(@Param('name') name: string): string {
    const family = this.served(name);
    return redocPage(`Spotter for clients of ${family}`, `/docs/legacy/${family}/openapi.json`);
  }

  @Get(':name/openapi.json')
  @AccessFor(PUBLIC)
  document(@Param('name') name: string): OpenAPIObject {
    return readLegacyOpenApi(this.served(name));
  }

  private served(name: string): LegacyFamily {
    const family = this.config.legacy_families.find((one) => one === name);
    if (!family) throw new NothingHere();
    return family;
  }
}
