import { Module } from '@nestjs/common';
import { Drain } from '../common/http/drain.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { OperationsController } from './operations.controller.js';

@Module({ imports: [JobsModule], controllers: [OperationsController], providers: [Drain] })
export class OperationsModule {}
