/** The page of the local platform: follows the JSON interface of one platform and shows it. */
import { render, type VNode } from 'preact';
import { useRoute } from './data/hooks.ts';
import { follow } from './data/live.ts';
import { Shell } from './parts/shell.tsx';
import { followTheme } from './parts/theme.ts';
import { Empty } from './parts/words.tsx';
import './style/page.css';
import { AlertsPage } from './views/alerts.tsx';
import { FeaturePage } from './views/feature.tsx';
import { HealthPage } from './views/health.tsx';
import { ModelPage } from './views/model.tsx';
import { ModelsPage } from './views/models.tsx';

function App(): VNode {
  const route = useRoute();
  return (
    <Shell route={route}>
      {route.view === 'models' ? (
        <ModelsPage />
      ) : route.view === 'model' ? (
        <ModelPage key={route.model} route={route} />
      ) : route.view === 'feature' ? (
        <FeaturePage key={`${route.model} ${route.feature}`} route={route} />
      ) : route.view === 'alerts' ? (
        <AlertsPage route={route} />
      ) : route.view === 'health' ? (
        <HealthPage />
      ) : (
        <Empty title="There is nothing at this address">
          <a href="#/">All models</a>
        </Empty>
      )}
    </Shell>
  );
}

const place = document.getElementById('page');
if (place !== null) {
  place.replaceChildren();
  followTheme();
  render(<App />, place);
  follow();
}
