import path from 'node:path';
import { DataSource } from 'typeorm';
import { packageRoot } from '../config/package-root.js';
import { NamingStrategy } from './naming-strategy.js';

const compiled = path.join(packageRoot, 'dist');

/**
 * TypeORM's view of the schema: it runs migrations and finds drift. Queries do not go through it (docs/decisions/0004).
 */
export const dataSource = (url: string, withEntities = false) =>
  new DataSource({
    type: 'postgres',
    url,
    entities: withEntities ? [path.join(compiled, 'src/**/entities/*.entity.js')] : [],
    migrations: [path.join(compiled, 'migrations/*.js')],
    namingStrategy: new NamingStrategy(),
    migrationsTransactionMode: 'each',
    synchronize: false,
  });
