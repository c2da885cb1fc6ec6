"""The routes of the dashboard. The pages themselves are in the rooms."""

from django.urls import path

from .accounts.pages import (
    account,
    approvals,
    organizations,
    preferences,
    second_factor,
    sign_in,
    users,
)
from .compute.pages import plans, register, tasks
from .datasets.pages import datasets, samples
from .execution.pages import approvals as runs, runners, trials
from .feed.pages import activity
from .functions import pages as functions
from .imports import pages as imports
from .overview import pages as overview
from .uploads import pages as uploads

urlpatterns = [
    path("", overview.HomePage.as_view(), name="home"),
    path("search/", overview.SearchPage.as_view(), name="search"),
    # --- Oneself --------------------------------------------------------------------------------
    path("sign-in/", sign_in.SignInPage.as_view(), name="sign-in"),
    path("sign-in/code/", sign_in.CodePage.as_view(), name="sign-in-code"),
    path("sign-in/second-factor/", sign_in.SignInEnrolPage.as_view(), name="sign-in-enrol"),
    path("sign-in/provider/", sign_in.ProviderStart.as_view(), name="sign-in-oidc"),
    path("sign-in/provider/return/", sign_in.ProviderReturn.as_view(), name="sign-in-oidc-return"),
    path("sign-out/", sign_in.SignOutView.as_view(), name="sign-out"),
    path("account/", account.AccountPage.as_view(), name="account"),
    path("account/second-factor/", second_factor.EnrolPage.as_view(), name="account-factor"),
    path(
        "account/second-factor/off/",
        second_factor.FactorOffPage.as_view(),
        name="account-factor-off",
    ),
    path(
        "account/second-factor/codes/",
        second_factor.RecoveryCodesPage.as_view(),
        name="account-recovery-codes",
    ),
    path("account/confirm/", account.ConfirmPasswordPage.as_view(), name="account-confirm"),
    path("account/password/", account.PasswordPage.as_view(), name="account-password"),
    path("account/tokens/new/", account.TokenPage.as_view(), name="account-token-new"),
    path(
        "account/tokens/<uuid:pk>/revoke/",
        account.TokenRevokePage.as_view(),
        name="account-token-revoke",
    ),
    path("language/", preferences.LanguageView.as_view(), name="language"),
    path("choices/<slug:name>/", preferences.ChoicesView.as_view(), name="choices"),
    path("set-password/<uidb64>/<token>/", account.SetPasswordPage.as_view(), name="set-password"),
    # --- The consortium -------------------------------------------------------------------------
    path("organisations/", organizations.OrganizationList.as_view(), name="organizations"),
    path(
        "organisations/new/", organizations.OrganizationNewPage.as_view(), name="organization-new"
    ),
    path("organisations/<str:pk>/", organizations.OrganizationPage.as_view(), name="organization"),
    path("users/", users.UserList.as_view(), name="users"),
    path("users/new/", users.UserNewPage.as_view(), name="user-new"),
    path("users/awaiting/", approvals.AwaitingPage.as_view(), name="users-awaiting"),
    path("users/awaiting/<int:pk>/", approvals.ApprovePage.as_view(), name="user-approve"),
    path("users/awaiting/<int:pk>/refuse/", approvals.RefusePage.as_view(), name="user-refuse"),
    path("users/<int:pk>/", users.UserPage.as_view(), name="user"),
    path("users/<int:pk>/reset/", users.UserResetPage.as_view(), name="user-reset"),
    path("users/<int:pk>/unlock/", users.UnlockPage.as_view(), name="user-unlock"),
    path(
        "users/<int:pk>/second-factor/", users.FactorResetPage.as_view(), name="user-factor-reset"
    ),
    path("activity/", activity.ActivityList.as_view(), name="activity"),
    path("audit/", activity.AuditList.as_view(), name="audit"),
    # --- Datasets -------------------------------------------------------------------------------
    path("datasets/", datasets.DatasetList.as_view(), name="datasets"),
    path("datasets/new/", datasets.DatasetRegisterPage.as_view(), name="dataset-new"),
    path("datasets/<key>/", datasets.DatasetPage.as_view(), name="dataset"),
    path("datasets/<key>/rename/", datasets.DatasetRenamePage.as_view(), name="dataset-rename"),
    path("data-samples/", samples.DataSampleList.as_view(), name="data-samples"),
    path("data-samples/new/", samples.DataSampleRegisterPage.as_view(), name="data-sample-new"),
    path("data-samples/link/", samples.LinkPage.as_view(), name="data-sample-link"),
    path("data-samples/<key>/", samples.DataSamplePage.as_view(), name="data-sample"),
    # --- Functions ------------------------------------------------------------------------------
    path("functions/", functions.FunctionList.as_view(), name="functions"),
    path("functions/new/", functions.FunctionRegisterPage.as_view(), name="function-new"),
    path("functions/<key>/", functions.FunctionPage.as_view(), name="function"),
    path("functions/<key>/rename/", functions.FunctionRenamePage.as_view(), name="function-rename"),
    path("functions/<key>/try/", trials.TryPage.as_view(), name="function-try"),
    path("trials/<key>/", trials.TrialPage.as_view(), name="trial"),
    path(
        "functions/<key>/files/<path:name>",
        functions.FunctionFilePage.as_view(),
        name="function-file",
    ),
    # --- Compute plans and tasks ----------------------------------------------------------------
    path("compute-plans/", plans.ComputePlanList.as_view(), name="compute-plans"),
    path("compute-plans/new/", register.PlanRegisterPage.as_view(), name="compute-plan-new"),
    path("compute-plans/<key>/", plans.ComputePlanPage.as_view(), name="compute-plan"),
    path(
        "compute-plans/<key>/rename/",
        plans.ComputePlanRenamePage.as_view(),
        name="compute-plan-rename",
    ),
    path(
        "compute-plans/<key>/cancel/",
        plans.ComputePlanCancelPage.as_view(),
        name="compute-plan-cancel",
    ),
    path("compute-plans/<key>/graph/", plans.ComputePlanGraph.as_view(), name="compute-plan-graph"),
    path("compute-plans/<key>/tasks/", register.PlanTasksPage.as_view(), name="compute-plan-tasks"),
    path("tasks/", tasks.TaskList.as_view(), name="tasks"),
    path("tasks/new/", register.TaskRegisterPage.as_view(), name="task-new"),
    path("tasks/<key>/", tasks.TaskPage.as_view(), name="task"),
    # --- Running it -----------------------------------------------------------------------------
    path("runners/", runners.RunnersPage.as_view(), name="runners"),
    path("runners/new/", runners.RunnerNewPage.as_view(), name="runner-new"),
    path("runners/policy/", runners.PolicyPage.as_view(), name="runner-policy"),
    path("runners/<key>/", runners.RunnerPage.as_view(), name="runner"),
    path("runners/<key>/revoke/", runners.RunnerRevokePage.as_view(), name="runner-revoke"),
    path("approvals/", runs.ApprovalsPage.as_view(), name="approvals"),
    path(
        "compute-plans/<key>/approval/",
        runs.PlanReviewPage.as_view(),
        name="compute-plan-approval",
    ),
    path(
        "compute-plans/<key>/decline/", runs.PlanDeclinePage.as_view(), name="compute-plan-decline"
    ),
    path("functions/<key>/approval/", runs.FunctionReviewPage.as_view(), name="function-approval"),
    path("functions/<key>/decline/", runs.FunctionDeclinePage.as_view(), name="function-decline"),
    # --- Many assets at once --------------------------------------------------------------------
    path("import/", imports.ImportPage.as_view(), name="import"),
    path("import/<uuid:pk>/", imports.CheckPage.as_view(), name="import-check"),
    # --- Files ahead of their form --------------------------------------------------------------
    path("account/files/", uploads.WaitingFilesPage.as_view(), name="waiting-files"),
    path("uploads/opener/", datasets.OpenerUpload.as_view(), name="upload-opener"),
    path("uploads/description/", datasets.DescriptionUpload.as_view(), name="upload-description"),
    path("uploads/data-sample/", samples.DataSampleUpload.as_view(), name="upload-data-sample"),
    path("uploads/function/", functions.FunctionUpload.as_view(), name="upload-function"),
    path("uploads/import/", imports.ImportUpload.as_view(), name="upload-import"),
]
