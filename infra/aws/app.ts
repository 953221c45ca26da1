import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { deployment } from './deployment.ts';
import { createPerimeter } from './perimeter.ts';

const app = new App();
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
createPerimeter(app, deployment);
app.synth();
